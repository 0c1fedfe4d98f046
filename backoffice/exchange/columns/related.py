"""A column that names records of another model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _
from import_export.widgets import ForeignKeyWidget

from .column import Column, Wrong


def in_questions[T](values: Iterable[T]) -> Iterator[list[T]]:
    """In one question, so that those who lock wait in the same order; SQLite has one writer and a bound on
    parameters."""
    given = sorted(values)  # type: ignore[type-var]
    at_once = connection.features.max_query_params or len(given) or 1
    for start in range(0, len(given), at_once):
        yield given[start : start + at_once]


class RelatedColumn(Column):
    """The value is what the other record is called in files; all names of a file are looked up together."""

    def __init__(self, name: str, field: Any, widget: ForeignKeyWidget) -> None:
        super().__init__(name, field, widget)
        other = field.remote_field
        self.known_by = other.get_related_field()
        self.called = self.known_by if widget.field == "pk" else other.model._meta.get_field(widget.field)
        self.lookup = f"{field.name}__{self.called.name}"
        self.others = other.model._default_manager.complex_filter(field.get_limit_choices_to())
        self.noun = other.model._meta.verbose_name
        self.numbers: dict[str, list[Any]] = {}

    def read(self, texts: Sequence[str]) -> list[Any]:
        names = {text.strip() for text in texts if text.strip() and not self.problem_of(text)}
        self.numbers = {}
        for batch in in_questions(self.askable(names)):
            there = self.others.filter(**{f"{self.called.name}__in": batch})
            for called, number in there.values_list(self.called.name, self.known_by.name):
                self.numbers.setdefault(str(called), []).append(number)
        return super().read(texts)

    def askable(self, names: Iterable[str]) -> Iterator[Any]:
        for name in names:
            try:
                value = self.called.to_python(name)
                if isinstance(value, int):
                    self.called.run_validators(value)  # SQLite takes no number beyond its own
                yield value
            except ValidationError:
                continue  # nobody is called so

    def problem_of(self, text: str) -> str:
        return _("the cell has a null character.") if "\x00" in text else ""

    def cleaned(self, text: str) -> Any:
        name = text.strip()
        if not name:
            return None if self.field.null and self.field.blank else Wrong(_("a value is needed."))
        found = self.numbers.get(name, [])
        if len(found) == 1:
            return name
        what = {"noun": self.noun, "name": name[:50], "count": len(found)}
        if found:
            return Wrong(_("%(count)d records are called “%(name)s” (%(noun)s).") % what)
        return Wrong(_("there is no %(noun)s “%(name)s”.") % what)

    def text(self, value: Any) -> str:
        return "" if value is None else str(value)

    def stored(self, value: Any) -> Any:
        return None if value is None else self.numbers[value][0]
