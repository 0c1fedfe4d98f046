"""Stored JSON and errors, made readable. Everything here returns plain text: templates escape it."""

import json
from typing import Any

SHORT = 80  # characters that stay on one line
LONGEST = 100_000  # characters shown on a page; the rest is a download


def load(text: str | None) -> Any:
    """What a stored text says. django-celery-results wraps JSON in a JSON string; other text comes back as it is."""
    value: Any = text
    for _layer in range(2):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except ValueError:
            break
    return value


def pretty(text: str | None) -> str:
    value = load(text)
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return value
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= SHORT else json.dumps(value, indent=2, ensure_ascii=False)


def one_line(text: str | None, longest: int = 160) -> str:
    """A result, or an exception as Celery stores it, in one line."""
    value = load(text)
    if isinstance(value, dict) and "exc_type" in value:
        said = value.get("exc_message")
        message = ", ".join(map(str, said)) if isinstance(said, list | tuple) else str(said or "")
        line = f"{value['exc_type']}: {message}".rstrip(": ")
    else:
        line = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value is not None else ""
    line = " ".join(line.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
