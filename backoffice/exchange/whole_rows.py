"""What is wrong with a row as a whole: rules between fields, and of the database."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from .columns.layout import Layout
from .rows import ImportRow


def problems_in_rows(layout: Layout, rows: list[ImportRow]) -> Iterator[str]:
    """As `clean()` of the model says, if it has one; a form would have asked it, too."""
    if layout.model.clean is Model.clean:
        return
    there = layout.model._base_manager.in_bulk([row.pk for row in rows if row.pk is not None])
    for row in rows:
        try:
            record_of(row, there.get(row.pk)).clean()
        except ValidationError as error:
            yield problem_of(row, " ".join(error.messages))


def record_of(row: ImportRow, record: Any = None) -> Model:
    """The record as it would be."""
    if record is None:
        return row.layout.model(**row.stored)
    for name, value in row.stored.items():
        setattr(record, name, value)
    return record


def problem_of(row: ImportRow, problem: str) -> str:
    return _("Row %(row)d: %(problem)s") % {"row": row.line, "problem": problem}


def first_refused(rows: list[ImportRow]) -> str:
    """Which row the database takes for one that breaks its rules, and why: written one by one, to be undone."""
    for row in rows:
        record = record_of(row, row.layout.model._base_manager.filter(pk=row.pk).first())
        try:
            with transaction.atomic():
                record.save()
        except IntegrityError as error:
            return problem_of(row, in_words(record) or str(error).partition("\n")[0])
    return ""


def in_words(record: Model) -> str:
    try:
        record.validate_unique()
        record.validate_constraints()
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
