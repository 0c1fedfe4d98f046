"""What a confirmed import writes: the rows, and an entry of the activity log for each."""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import JSONField, QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.results import activity
from backoffice.results.models import Activity
from backoffice.runs.database.again import again
from backoffice.runs.models import Processable, compared
from backoffice.runs.pages import record_log

from .columns.layout import Layout
from .comparison import Comparison, compare, existing
from .files.sheet import Sheet
from .rows import ImportRow
from .whole_rows import first_refused, record_of

_BATCH = 500


@again()
def write(
    layout: Layout, sheet: Sheet, records: "QuerySet[Any]", seen: dict[str, str], user: object, file: str
) -> Comparison:
    """All rows whose records are as `seen`, the stamps of the preview; the others are refused. Nothing if there are
    problems."""
    with transaction.atomic():
        comparison = compare(layout, sheet, records, lock=True)
        if not comparison.problems:
            refuse_what_differs(comparison, seen)
            write_rows(layout, comparison)
        if not comparison.problems:
            log(layout, comparison, user, file)
    return comparison


def write_rows(layout: Layout, comparison: Comparison) -> None:
    try:
        with transaction.atomic():
            add(layout, comparison)
            update(layout, comparison.updated)
    except IntegrityError as error:
        with transaction.atomic():
            comparison.problems = [first_refused([*comparison.new, *comparison.updated]) or str(error)]
            transaction.set_rollback(True)


def refuse_what_differs(comparison: Comparison, seen: dict[str, str]) -> None:
    for rows in (comparison.new, comparison.updated):
        differing = [row for row in rows if seen.get(row.name) != row.stamp]
        comparison.refused += [sentence(why(row, seen.get(row.name)), row) for row in differing]
        rows[:] = [row for row in rows if seen.get(row.name) == row.stamp]


EDITED = gettext_noop("Row %(row)d, %(key)s: its record was edited after the preview.")
DELETED = gettext_noop("Row %(row)d, %(key)s: its record was deleted after the preview.")
MADE = gettext_noop("Row %(row)d, %(key)s: a record with this %(field)s was made after the preview.")


def why(row: ImportRow, stamp: str | None) -> str:
    if row.is_new:
        return DELETED
    return MADE if stamp == "" else EDITED


def sentence(reason: str, row: ImportRow) -> str:
    return _(reason) % {"row": row.line, "key": row.name, "field": row.layout.key.field.verbose_name}


def add(layout: Layout, comparison: Comparison) -> None:
    """In order of their keys, so that two imports wait for each other and never in a circle."""
    comparison.new.sort(key=lambda row: row.key)
    while comparison.new:
        try:
            with transaction.atomic():
                made = layout.model._base_manager.bulk_create([record_of(row) for row in comparison.new], _BATCH)
        except IntegrityError:  # somebody made a record with one of these keys since they were looked for
            there = existing(layout, layout.model._base_manager.all(), [row.key for row in comparison.new])
            if not there:
                raise
            comparison.refused += [sentence(MADE, row) for row in comparison.new if row.key in there]
            comparison.new = [row for row in comparison.new if row.key not in there]
        else:
            for row, record in zip(comparison.new, made, strict=True):
                row.record = record
            if issubclass(layout.model, Processable):
                compared.keep_added(made)
            return


def update(layout: Layout, rows: list[ImportRow]) -> None:
    """One UPDATE of the changed columns per record: what somebody else changes in the others meanwhile stays."""
    moments = [field for field in layout.model._meta.concrete_fields if getattr(field, "auto_now", False)]
    edited_at = {field.name: field.to_python(timezone.now()) for field in moments}
    takes_back = cache(partial(record_log.takes_back, layout.model))
    for row in rows:
        waits = {"processed": False} if takes_back(tuple(row.changes)) else {}
        layout.model._base_manager.filter(pk=row.pk).update(**row.stored, **waits, **edited_at)
    if issubclass(layout.model, Processable):
        compared.keep(
            layout.model, [row.pk for row in rows if row.pk and compared.is_touched(layout.model, row.changes)]
        )


def log(layout: Layout, comparison: Comparison, user: object, file: str) -> None:
    """In the import's own transaction: one entry for the file, and one per record, with before and after."""
    counts = {name: len(getattr(comparison, name)) for name in ("new", "updated", "unchanged", "refused")}
    counts["update"] = counts.pop("updated")  # as the log has always called it
    activity.log(user, "record.imported", activity.Subject(file, layout.model._meta.label_lower, ""), **counts)
    Activity.objects.bulk_create(entries(layout, comparison, user, file), batch_size=_BATCH)


def entries(layout: Layout, comparison: Comparison, user: object, file: str) -> Iterator[Activity]:
    added = [row.record for row in comparison.new]
    documents = [field.name for field in layout.model._meta.concrete_fields if isinstance(field, JSONField)]
    # without what takes time to read; a record whose name is in there asks for it
    edited = layout.model._base_manager.defer(*documents).in_bulk([row.pk for row in comparison.updated])
    # what a record is called may name others: they are asked for together
    prefetch_related_objects([*added, *edited.values()], *layout.relations)
    for record in added:
        yield record_log.addition(user, record, file=file)
    for row in comparison.updated:
        yield activity.entry(user, "record.edited", edited[row.pk], file=file, changes=row.changes)
