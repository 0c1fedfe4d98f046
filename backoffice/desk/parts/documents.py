"""Stored JSON and errors, made readable. Everything here returns plain text: templates escape it."""

import json
from typing import Any

from backoffice.results import rows
from backoffice.results.values.text import storable

SHORT = 80  # characters that stay on one line
DEEPEST = 50  # levels that are laid out: each is indented further, and Python counts only so many
LONGEST = 100_000  # characters shown on a page; the rest is a download


def load(text: str | None) -> Any:
    """What a stored text says. django-celery-results wraps JSON in a JSON string; other text comes back as it is, and
    so does what is nested too deep to be read."""
    value: Any = text
    for _layer in range(2):
        if not isinstance(value, str):
            break
        value = rows.loads(value) if value else value
    return text if is_deep(value) else value


def is_deep(value: Any) -> bool:
    level = [value]
    for _depth in range(DEEPEST):
        inside = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [each for children in inside for each in children]
    return bool(level)


def written(value: Any, indent: int | None = None) -> str:
    """JSON for people: what is more than JSON as its text, what no page can show as its escape."""
    try:
        return storable(json.dumps(value, ensure_ascii=False, default=as_text, indent=indent))
    except RecursionError:  # indented by Python itself, which goes less deep than its reader
        return rows.dumps(value)


def as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def pretty(text: str | None) -> str:
    value = load(text)
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return storable(value)
    line = written(value)
    return line if len(line) <= SHORT else written(value, indent=2)


def one_line(text: str | None, longest: int = 160) -> str:
    """A result, or an exception as Celery stores it, in one line."""
    value = load(text)
    if isinstance(value, dict) and "exc_type" in value:
        said = value.get("exc_message")
        message = ", ".join(map(str, said)) if isinstance(said, list | tuple) else str(said or "")
        line = f"{value['exc_type']}: {message}".rstrip(": ")
    else:
        line = value if isinstance(value, str) else written(value) if value is not None else ""
    line = " ".join(storable(line).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
