"""docs/reference.md, made of docstrings:  python -m tests.reference

What a name cannot say stands in its docstring; what an option or attribute is for, in the string or comment behind it.
"""

import ast
import inspect
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

METHODS = {"Run": ("wait", "outcomes"), "Processable": ("process",)}  # the others are for the machine
TYPES = ("Action", "RecordTask", "Records")  # for annotations

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference.md"
HEAD = """# Reference

What an app of a team's own may import, made of the docstrings by `python -m tests.reference`.
[your-own-model.md](your-own-model.md) shows it at work.
"""


def page() -> str:
    from backoffice import testing
    from backoffice.exchange import seam as exchange
    from backoffice.runs import record_task, seam
    from backoffice.schedules.pages import later_action

    parts = [HEAD, *module(seam, seam.__all__)]
    parts += ["### Options of `record_task`\n", f"{text(record_task.Options)}\n", table(record_task.Options)]
    parts += module(later_action, ["later_action"])
    parts += module(exchange, exchange.__all__)
    parts += module(testing, testing.__all__)
    return "\n".join(parts).rstrip() + "\n"


def module(found: ModuleType, names: list[str]) -> Iterator[str]:
    yield f"## `{found.__name__}`\n"
    for name in names:
        yield from entry(name, getattr(found, name))


def entry(name: str, found: Any) -> Iterator[str]:
    if name in TYPES:
        yield f"### `{name}`\n\nA type, for annotations.\n"
    elif inspect.isclass(found):
        yield f"### `{name}`\n\n{text(found)}\n"
        yield from filter(None, [table(found)])
        for own in (getattr(found, each) for each in METHODS.get(name, ())):
            yield f"#### `{signature(own.__name__, own)}`\n\n{text(own)}\n"
    else:
        yield f"### `{signature(name, found)}`\n\n{text(found)}\n"


def text(found: Any) -> str:
    return inspect.getdoc(found) or ""


def signature(name: str, found: Any) -> str:
    told = inspect.signature(found)
    bare = [each.replace(annotation=each.empty) for each in told.parameters.values() if each.name != "self"]
    return f"{name}{told.replace(parameters=bare, return_annotation=told.empty)}"


def table(found: type) -> str:
    rows = [f"| `{name}` | {words} |" for name, words in attributes(found)]
    return "\n".join(["| name | meaning |", "|---|---|", *rows, ""]) if rows else ""


def attributes(found: type) -> Iterator[tuple[str, str]]:
    """Public ones with a string or a comment behind them, in the order in which they stand."""
    source = textwrap.dedent(inspect.getsource(found))
    lines, body = source.splitlines(), ast.parse(source).body[0].body  # type: ignore[attr-defined]
    for number, node in enumerate(body):
        target = getattr(node, "target", None) or (getattr(node, "targets", None) or [None])[0]
        if not isinstance(target, ast.Name) or target.id.startswith("_"):
            continue
        behind = body[number + 1] if number + 1 < len(body) else None
        is_text = isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant)
        words = behind.value.value if is_text else lines[node.end_lineno - 1][node.end_col_offset :].partition("#")[2]
        if words.strip() and "noqa" not in words:
            yield target.id, " ".join(words.split())


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    import django

    django.setup()
    PAGE.write_text(page())
