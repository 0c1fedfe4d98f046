"""Numbers in addresses and forms, which anybody may write."""

import re

ROW = re.compile(r"-?[0-9]{1,18}")  # a row's number fits into 63 bits


def row_number(text: object) -> int | None:
    """A row's number; None for what is none."""
    return int(str(text)) if ROW.fullmatch(str(text)) else None
