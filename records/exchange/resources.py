"""What an import writes, and which columns an export has."""

from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from import_export.fields import Field
from import_export.resources import ModelResource

from backoffice.exchange.files.sheet import Sheet
from backoffice.results import activity
from backoffice.results.models import Activity
from backoffice.runs.database.again import again

from ..models import YourModel
from .comparison import Comparison, ImportRow, compare, existing

_BATCH = 500


class RecordImport(ModelResource):
    """The library's pages ask for a preview here. Its own way of importing takes 20 times as long."""

    class Meta:
        model = YourModel
        fields = YourModel.INPUTS

    def import_data(self, dataset: Sheet, **kwargs: Any) -> Comparison:
        return compare(dataset)


# --- Writing what was confirmed -------------------------------------------------------------------------------------


@again()
def write(sheet: Sheet, seen: dict[str, str], user: object, file: str) -> Comparison:
    """All rows whose records are as `seen`, the stamps of the preview; the others are refused. Nothing if there are
    problems."""
    with transaction.atomic():
        comparison = compare(sheet, lock=True)
        if not comparison.problems:
            refuse_what_differs(comparison, seen)
            add(comparison)
            update(comparison.updated)
            log(comparison, user, file)
    return comparison


def refuse_what_differs(comparison: Comparison, seen: dict[str, str]) -> None:
    for rows in (comparison.new, comparison.updated):
        differing = [row for row in rows if seen.get(row.reference) != row.stamp]
        comparison.refused += [sentence(why(row, seen.get(row.reference)), row) for row in differing]
        rows[:] = [row for row in rows if seen.get(row.reference) == row.stamp]


EDITED = gettext_noop("Row %(row)d, %(reference)s: its record was edited after the preview.")
DELETED = gettext_noop("Row %(row)d, %(reference)s: its record was deleted after the preview.")
MADE = gettext_noop("Row %(row)d, %(reference)s: a record with this reference was made after the preview.")


def why(row: ImportRow, stamp: str | None) -> str:
    if row.is_new:
        return DELETED
    return MADE if stamp == "" else EDITED


def sentence(reason: str, row: ImportRow) -> str:
    return _(reason) % {"row": row.line, "reference": row.reference}


def add(comparison: Comparison) -> None:
    """In order of reference, so that two imports wait for each other and never in a circle."""
    comparison.new.sort(key=lambda row: row.reference)
    while comparison.new:
        try:
            with transaction.atomic():
                made = YourModel.objects.bulk_create([YourModel(**row.values) for row in comparison.new], _BATCH)
        except IntegrityError:  # somebody made a record with one of these references since they were looked for
            there = existing(row.reference for row in comparison.new)
            if not there:
                raise
            comparison.refused += [sentence(MADE, row) for row in comparison.new if row.reference in there]
            comparison.new = [row for row in comparison.new if row.reference not in there]
        else:
            for row, record in zip(comparison.new, made, strict=True):
                row.pk = record.pk
            return


def update(rows: list[ImportRow]) -> None:
    """One UPDATE of the changed columns per record: what somebody else changes in the others meanwhile stays."""
    now = timezone.now()
    for row in rows:
        changed = {name: after for name, (_before, after) in row.changes.items()}
        YourModel.objects.filter(reference=row.reference).update(**changed, processed=False, updated_at=now)


def log(comparison: Comparison, user: object, file: str) -> None:
    """In the import's own transaction: one entry for the file, and one per record, with before and after."""
    counts = {name: len(getattr(comparison, name)) for name in ("new", "updated", "unchanged", "refused")}
    counts["update"] = counts.pop("updated")  # as the log has always called it
    activity.log(user, "record.imported", file, **counts)
    Activity.objects.bulk_create(entries(comparison, user, file), batch_size=_BATCH)


def entries(comparison: Comparison, user: object, file: str) -> Iterator[Activity]:
    for row in (*comparison.new, *comparison.updated):
        details = {} if row.is_new else {"changes": row.changes}
        record = YourModel(pk=row.pk, **row.values)
        yield activity.entry(user, "record.added" if row.is_new else "record.edited", record, file=file, **details)


# --- Export ---------------------------------------------------------------------------------------------------------


class RecordExport(ModelResource):
    """Lists the columns; `records.exchange.export` writes them. Those that process() fills are ignored by an import."""

    issues = Field(attribute="issues", column_name="issues")

    class Meta:
        model = YourModel
        fields = (*YourModel.INPUTS, "verdict", "issues", "rules_version", "processed", "processed_at")
        export_order = fields
