"""Cells that a spreadsheet program would run as a formula: exported behind an apostrophe, imported without it."""

import re

# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_DISARMED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


def disarm(text: str) -> str:
    """ "+49 30 1" becomes "'+49 30 1"; "'S-GRAVENHAGE" stays. `rearm` undoes it exactly."""
    return f"'{text}" if _FORMULA.match(text) else text


def rearm(text: str) -> str:
    return text[1:] if _DISARMED.match(text) else text
