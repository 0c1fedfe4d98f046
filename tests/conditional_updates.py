"""Every conditional update and delete of the code base, and whether its condition is one of the row's own columns.

One that names a relation, or another queryset, becomes `id IN (SELECT ...)`: where such a statement has waited for
another session's lock, PostgreSQL asks the outer condition again and not the subquery's. Of two that compare and swap
so, both win. `Exists(...)` beside plain columns is asked in the row's own condition and is no such thing.
"""

import ast
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler, SQLDeleteCompiler, SQLUpdateCompiler

ROOT = Path(__file__).resolve().parent.parent
WRITES = {"update", "delete", "_raw_delete"}
NARROWS = {"filter", "exclude", "get"}


@dataclass
class Write:
    """One call of update or delete on rows, with the conditions on its way there."""

    place: str
    conditions: list[ast.keyword] = field(default_factory=list)
    is_on_rows: bool = False

    @property
    def joins(self) -> list[str]:
        return sorted({str(each.arg) for each in self.conditions if _joins(str(each.arg)) or _is_queryset(each.value)})


def walk(*folders: str) -> Iterator[Write]:
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    trees = {str(p.relative_to(ROOT)): ast.parse(p.read_text()) for p in paths if "migrations" not in p.parts}
    of_querysets = {name: method for tree in trees.values() for name, method in _methods(tree)}
    for name, tree in trees.items():
        yield from of_tree(tree, name, of_querysets)


def _methods(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """What querysets of our own narrow by, wherever they are asked from."""
    for kind in ast.walk(tree):
        if isinstance(kind, ast.ClassDef) and kind.name.endswith("QuerySet"):
            yield from ((each.name, each) for each in kind.body if isinstance(each, ast.FunctionDef))


def of_tree(tree: ast.Module, name: str, of_querysets: dict[str, ast.FunctionDef]) -> Iterator[Write]:
    functions = {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    methods = {**of_querysets, **functions}
    for function in functions.values():
        names = _assigned(function)
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in WRITES:
                write = Write(f"{name}:{call.lineno}")
                _follow(call.func.value, names, methods, write, set())
                if write.is_on_rows:
                    yield write


def _assigned(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    names: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    names.setdefault(target.id, []).append(node.value)
    return names


def _follow(node: ast.AST, names: dict[str, list[ast.expr]], methods: dict, write: Write, seen: set[str]) -> None:
    """Down the chain of calls to the model it began with; through local names and methods of ours."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in NARROWS:
            write.is_on_rows = True
            write.conditions += [each for each in node.keywords if each.arg]
            write.conditions += [each for arg in node.args for each in _of_q(arg)]
        elif node.func.attr in methods and node.func.attr not in seen:
            seen.add(node.func.attr)
            for returned in ast.walk(methods[node.func.attr]):
                if isinstance(returned, ast.Return) and returned.value:
                    _follow(returned.value, {}, methods, write, seen)
        _follow(node.func.value, names, methods, write, seen)
    elif isinstance(node, ast.Attribute):
        write.is_on_rows |= node.attr in {"objects", "_base_manager"}
        _follow(node.value, names, methods, write, seen)
    elif isinstance(node, ast.Name) and node.id in names and node.id not in seen:
        seen.add(node.id)
        for value in names[node.id]:
            _follow(value, names, methods, write, seen)


def _of_q(node: ast.AST) -> Iterator[ast.keyword]:
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "Q":
            yield from (keyword for keyword in each.keywords if keyword.arg)


def _joins(condition: str) -> bool:
    relation, _, rest = condition.partition("__")
    return relation in _relations() and bool(rest) and rest.partition("__")[0] not in {*_lookups(), "pk", "id"}


def _relations() -> set[str]:
    return {each.name for model in apps.get_models() for each in model._meta.get_fields() if each.is_relation}


def _lookups() -> set[str]:
    kinds: list[type[Lookup]] = [Lookup]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.lookup_name for kind in kinds if getattr(kind, "lookup_name", None)}


def _is_queryset(node: ast.expr) -> bool:
    """Values asked for in the same statement; a list of them was read before."""
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in {"values", "values_list", "filter"}


@contextmanager
def watched() -> Iterator[list[str]]:
    """The statements of ours that the walk would not see, caught where they are compiled."""
    found: list[str] = []

    def watching(original: Callable[[SQLCompiler], tuple[str, Any]]) -> Callable[[SQLCompiler], tuple[str, Any]]:
        def as_sql(self: SQLCompiler) -> tuple[str, Any]:
            sql, parameters = original(self)
            if " IN (SELECT " in sql and (place := _ours()):
                found.append(f"{place}: {sql}")
            return sql, parameters

        return as_sql

    with pytest.MonkeyPatch.context() as patch:
        for kind in (SQLUpdateCompiler, SQLDeleteCompiler):
            patch.setattr(kind, "as_sql", watching(kind.as_sql))
        yield found


def _ours() -> str:
    """Who asked for it, if it was we and not a package or a test."""
    outside = (frame for frame in reversed(traceback.extract_stack()) if "/django/db/" not in frame.filename)
    next(outside), next(outside)  # this function, and the one that watches
    asked = next(outside)
    path = Path(asked.filename)
    is_ours = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in {"backoffice", "records"}
    return f"{path.name}:{asked.lineno}" if is_ours else ""
