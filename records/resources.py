"""What an import does with a row, and which columns an export has."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field as ModelField
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import Result, RowResult

from backoffice.results import activity
from backoffice.results.models import Activity
from backoffice.results.spreadsheet import rearm

from .files import Sheet
from .models import YourModel

Values = dict[str, str]
FIELDS = {field.name: field for field in YourModel._meta.concrete_fields}
_BATCH = 500


class ByReference(BaseInstanceLoader):
    """The records that the file's references name, in a handful of queries."""

    def __init__(self, resource: "RecordImport", dataset: Sheet) -> None:
        super().__init__(resource, dataset)
        references = {reference.strip() for reference in dataset["reference"]}
        self.existing = YourModel.objects.in_bulk(references, field_name="reference")

    def get_instance(self, row: Values) -> YourModel | None:
        return self.existing.get(row["reference"])


class Changes:
    """The inputs of a row before and after; what the preview shows and the activity log keeps."""

    def __init__(self, resource: "RecordImport", instance: YourModel, new: bool) -> None:
        self.before: Values = {} if new else inputs_of(instance)
        self.after: Values = {}

    def compare_with(self, resource: "RecordImport", instance: YourModel) -> None:
        self.after = inputs_of(instance)

    def as_html(self) -> dict[str, tuple[str, str]]:
        """Field: before, after; the reference always. (The name is the library's; the markup is the template's.)"""
        return {
            field: (self.before.get(field, ""), value)
            for field, value in self.after.items()
            if field == "reference" or self.before.get(field) != value
        }


class ImportResult(Result):
    """Knows which line of the file each of its rows is, and which columns were not read."""

    lines: list[int]
    ignored: list[str]


def inputs_of(record: YourModel) -> Values:
    return {field: getattr(record, field) for field in YourModel.INPUTS}


class RecordImport(ModelResource):
    """Rows find their record by reference: new ones are added, changed ones updated, the others skipped."""

    class Meta:
        model = YourModel
        fields = YourModel.INPUTS
        import_id_fields = ("reference",)
        instance_loader_class = ByReference
        skip_unchanged = True
        use_bulk = True
        batch_size = _BATCH

    lines: list[int]
    dry_run = False

    @classmethod
    def get_result_class(cls) -> type[ImportResult]:
        return ImportResult

    @classmethod
    def get_diff_class(cls) -> type[Changes]:
        return Changes

    def import_data(self, dataset: Sheet, dry_run: bool = False, **kwargs: Any) -> ImportResult:
        self.lines, self.dry_run = dataset.lines, dry_run
        if dry_run:  # without the transaction the library would open: a preview keeps no writer waiting
            kwargs = {key: kwargs[key] for key in ("file_name", "user") if key in kwargs}
            return self.import_data_inner(dataset, True, False, False, False, **kwargs)
        return super().import_data(dataset, **kwargs, rollback_on_validation_errors=True)

    def before_import(self, dataset: Sheet, **kwargs: Any) -> None:
        self.changed: dict[str, list[str]] = {}
        self.rows_of: dict[str, list[int]] = defaultdict(list)
        for line, reference in zip(dataset.lines, dataset["reference"], strict=True):
            self.rows_of[reference.strip()].append(line)

    def before_import_row(self, row: Values, **kwargs: Any) -> None:
        line = self.lines[kwargs["row_number"] - 1]
        for field in YourModel.INPUTS:
            row[field] = rearm(row[field])
        row["reference"], row["role"] = row["reference"].strip(), row["role"].strip().lower()
        problems = dict(problems_of(row, line))
        if row["reference"] and len(rows := self.rows_of[row["reference"]]) > 1:
            problems["reference"] = said_twice(row["reference"], rows)
        if problems:
            raise ValidationError(problems)

    def before_save_instance(self, instance: YourModel, row: Values, **kwargs: Any) -> None:
        instance.processed = False

    def bulk_update(self, using_transactions: bool, dry_run: bool, *args: Any, **kwargs: Any) -> None:
        """One UPDATE of the changed columns per record: what somebody else changes in the others meanwhile stays."""
        if not dry_run:
            now = timezone.now()
            for record in self.update_instances:
                changed = {field: getattr(record, field) for field in self.changed[record.reference]}
                YourModel.objects.filter(pk=record.pk).update(**changed, processed=False, updated_at=now)
        self.update_instances.clear()

    def skip_row(self, instance: YourModel, original: YourModel, row: Values, *args: Any) -> bool:
        changed = [field for field in YourModel.INPUTS if getattr(instance, field) != getattr(original, field)]
        self.changed[instance.reference] = changed
        return not changed

    def after_import(self, dataset: Sheet, result: ImportResult, **kwargs: Any) -> None:
        """Log in the import's own transaction: one entry for the file, and one per record, with before and after."""
        result.lines = dataset.lines
        result.ignored = [name for name in dataset.headers if name and name not in YourModel.INPUTS]
        if self.dry_run or result.has_errors() or result.has_validation_errors():
            return
        user, file = kwargs.get("user"), kwargs.get("file_name") or ""
        counts = {kind: result.totals[kind] for kind in (RowResult.IMPORT_TYPE_NEW, RowResult.IMPORT_TYPE_UPDATE)}
        activity.log(user, "record.imported", file, **counts, unchanged=result.totals[RowResult.IMPORT_TYPE_SKIP])
        rows = [entry(user, row, file) for row in result.rows if row.is_update() or row.is_new()]
        Activity.objects.bulk_create(rows, batch_size=_BATCH)


def entry(user: object, row: RowResult, file: str) -> Activity:
    return Activity(
        actor=str(user or activity.SYSTEM)[:150],
        actor_id=activity.number_of(user),
        verb="record.added" if row.is_new() else "record.edited",
        target=str(row.instance)[:200],
        model=YourModel._meta.label_lower,
        object_id=str(row.instance.pk),
        details={"file": file} if row.is_new() else {"changes": changes_in(row), "file": file},
    )


def changes_in(row: RowResult) -> dict[str, tuple[str, str]]:
    return {name: pair for name, pair in row.diff.items() if pair[0] != pair[1]}


# --- What can be wrong with a row -----------------------------------------------------------------------------------


def problems_of(row: Mapping[str, str], line: int) -> Iterator[tuple[str, str]]:
    """Field and sentence, for every cell that its column cannot hold."""
    for name in YourModel.INPUTS:
        if problem := problem_of(FIELDS[name], row[name]):
            where = {"row": line, "column": name, "problem": problem}
            yield name, _("Row %(row)d, column %(column)s: %(problem)s") % where


def problem_of(field: "ModelField[Any, Any]", value: str) -> str:
    if not value.strip() and not field.blank:
        return _("a value is needed.")
    if field.max_length is not None and len(value) > field.max_length:
        counts = {"length": f"{len(value):,}", "max": field.max_length}
        return _("the cell has %(length)s characters; at most %(max)d are taken.") % counts
    if "\x00" in value:
        return _("the cell has a null character.")
    if field.choices and value not in YourModel.Role.values:
        return _("“%(value)s” is not a role; it is one of %(roles)s.") % {
            "value": value,
            "roles": ", ".join(YourModel.Role.values),
        }
    return ""


def said_twice(reference: str, rows: list[int]) -> str:
    where = ", ".join(map(str, rows[:10])) + ("…" if len(rows) > 10 else "")
    return _("Rows %(rows)s, column reference: “%(reference)s” may occur once in a file.") % {
        "rows": where,
        "reference": reference,
    }


# --- Export ---------------------------------------------------------------------------------------------------------


class RecordExport(ModelResource):
    """Lists the columns; `records.export` writes them. Those that process() fills are ignored by an import."""

    issues = Field(attribute="issues", column_name="issues")

    class Meta:
        model = YourModel
        fields = (*YourModel.INPUTS, "verdict", "issues", "rules_version", "processed", "processed_at")
        export_order = fields
