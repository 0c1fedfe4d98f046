"""A row of a file beside the record that it names."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from .columns.layout import Layout

Values = list[Any]  # in the order of the layout's columns


@dataclass(slots=True)
class ImportRow:
    """A row of the file, and its record before it: None if there is none."""

    line: int
    layout: Layout
    values: Values
    pk: int | None = None
    before: Values | None = None
    changed: list[int] = field(default_factory=list)  # which columns
    record: Any = None  # once it is made

    @property
    def key(self) -> Any:
        return self.values[self.layout.key_at]

    @property
    def name(self) -> str:
        return self.layout.key.text(self.key)

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def is_unchanged(self) -> bool:
        return not self.is_new and not self.changed

    def __post_init__(self) -> None:
        columns, before = self.layout.columns, self.before
        if before is None:
            self.changed = list(range(len(columns)))
        elif before != self.values:
            self.changed = [at for at, each in enumerate(columns) if not each.is_same(before[at], self.values[at])]

    @property
    def changes(self) -> dict[str, tuple[str, str]]:
        """Of each field that changes the texts before and after."""
        columns, before = self.layout.columns, self.before or [None] * len(self.values)
        shown = ((columns[at], before[at], self.values[at]) for at in self.changed)
        return {column.field.name: (column.text(was), column.text(value)) for column, was, value in shown}

    @property
    def stored(self) -> dict[str, Any]:
        columns = self.layout.columns
        return {columns[at].field.attname: columns[at].stored(self.values[at]) for at in self.changed}

    @property
    def stamp(self) -> str:
        """Another one as soon as the record is edited, deleted or made; empty while there is none."""
        if self.before is None:
            return ""
        pairs = zip(self.layout.columns, self.before, strict=True)
        texts = [value if type(value) is str else column.text(value) for column, value in pairs]
        return hashlib.sha256(json.dumps([self.pk, *texts]).encode()).hexdigest()[:20]
