"""Values as people can tell them apart: what has no shape of its own, such as white space, gets a sign."""

import json
import unicodedata
from collections.abc import Callable
from itertools import groupby
from os.path import commonprefix
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from . import values

LONGEST = 300  # characters shown of a value
LED_IN = 40  # of those, before the first difference where that is far behind
SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}
BLANK = {"Zs", "Zl", "Zp", "Cc"}
FORMLESS = {"Cf", "Cn", "Co", "Mn", "Me"}  # that also belong into words: joiners, accents
FILLERS = "\u115f\u1160\u3164\uffa0\u2800"  # letters and a symbol by name, and nothing to see


class Part(NamedTuple):
    text: str
    name: str = ""  # what a sign stands for; of plain text none


Side = list[Part]


def in_words(before: Any, after: Any, words: Callable[[Any], str] = values.words) -> tuple[str, str]:
    """Of two values that would read the same, such as NULL and an empty text, their JSON."""
    told = words(before), words(after)
    if told[0] != told[1]:
        return told
    one, other = (json.dumps(value, ensure_ascii=False, default=str) for value in (before, after))
    return one, other


def differing(before: Any, after: Any, words: Callable[[Any], str] = values.words) -> tuple[str, str]:
    return in_words(*apart(before, after), words)


def apart(one: Any, other: Any) -> tuple[Any, Any]:
    """Of two JSON objects, or lists of them, what only one has; of any other values all."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() == other.keys() == {"json"}:  # as a change set has it
            left, right = apart(one["json"], other["json"])
            return {"json": left}, {"json": right}
        left, right = _without(one, other), _without(other, one)
    elif isinstance(one, list) and isinstance(other, list) and all(isinstance(each, dict) for each in [*one, *other]):
        left, right = ([each for each in side if each not in beside] for side, beside in ((one, other), (other, one)))
    else:
        return one, other
    return (left, right) if left or right else (one, other)


def _without(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in other or not values.same(value, other[name])}


def sides(before: str, after: str) -> tuple[Side, Side]:
    """Two different texts, so that no eye takes them for the same."""
    cut = excerpts(before, after)
    alike = before != after and plain(cut[0]) == plain(cut[1])
    return parts(cut[0], strict=alike), parts(cut[1], strict=alike)


def one(text: str, beside: str | None = None) -> Side:
    return sides(text, text if beside is None else beside)[0]


def plain(text: str) -> str:
    """What an eye makes of a text."""
    kept = (each for each in unicodedata.normalize("NFC", text) if not is_blank(each) and not is_formless(each))
    return "".join(kept)


def is_blank(each: str) -> bool:
    return unicodedata.category(each) in BLANK


def is_formless(each: str) -> bool:
    return unicodedata.category(each) in FORMLESS or each in FILLERS


def excerpts(before: str, after: str) -> tuple[str, str]:
    """Where they are too long: from the beginning, or from shortly before the first difference."""
    same = len(commonprefix([before, after]))
    start = same - LED_IN if before != after and same > LONGEST - LED_IN else 0
    return excerpt(before, start), excerpt(after, start)


def excerpt(text: str, start: int) -> str:
    end = start + LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def parts(text: str, *, strict: bool) -> Side:
    """With `strict` also accents and joiners apart from their letters, as code points."""
    apart = strict and text != unicodedata.normalize("NFC", text)

    def unseen(at: int) -> bool:
        each = text[at]
        if each != " ":
            return is_blank(each) or (strict and is_formless(each)) or (apart and not each.isascii())
        inside = 0 < at < len(text) - 1
        return not inside or any(is_blank(text[beside]) or unseen(beside) for beside in (at - 1, at + 1))

    found: Side = []
    for sign, group in groupby(range(len(text)), key=lambda at: text[at] if unseen(at) else ""):
        run = list(group)
        found.append(signed(sign, len(run)) if sign else Part(text[run[0] : run[-1] + 1]))
    return found


def signed(each: str, number: int) -> Part:
    code = f"U+{ord(each):04X}"
    names = {" ": _("space"), "\n": _("line break"), "\t": _("tab")}
    name = names.get(each) or unicodedata.name(each, code).lower()
    sign = SIGNS[each] * number if each in SIGNS else " ".join([code] * number)
    return Part(sign, f"{number} × {name}" if number > 1 else name)
