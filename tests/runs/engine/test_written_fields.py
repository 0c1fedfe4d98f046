"""A record task writes fields of every kind, in a run and by a plain call, as `save()` would."""

import pytest
from django.db import connection
from django.db.models import F

from backoffice.results import bulk
from backoffice.runs.checks import declared as checks
from backoffice.runs.registry import find
from backoffice.runs.start import start
from backoffice.testing import work_off
from records.models import YourModel
from tests.factories import user
from tests.probe.models import Kinds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def records():
    people = [user() for _ in range(4)]
    return [Kinds.objects.create(number=person.pk) for person in people]


def saved(record):
    """What `save()` makes of the same."""
    record.process()
    record.save()
    record.refresh_from_db()
    return values(record)


def values(record):
    return {f.name: getattr(record, f.attname) for f in Kinds._meta.concrete_fields} | {
        "raw": bytes(record.raw),
        "file": str(record.file),
    }


@pytest.mark.parametrize("by_run", [True, False], ids=["run", "plain call"])
def test_every_kind_of_field_is_written_as_save_writes_it(records, by_run):
    if by_run:
        run = work_off(start(Kinds.objects.all(), "fill_kinds"))
        assert (run.succeeded, run.failed) == (4, 0), list(run.items.values_list("error", flat=True))
    else:
        for record in records:
            find("fill_kinds").apply(args=[record.pk]).get()
    for record in Kinds.objects.all():
        written = values(record)
        assert written["owner"] == written["number"]
        assert written == saved(record)


def test_an_expression_in_place_of_a_value_is_that_records_failure(records, monkeypatch):
    def process(self, original=Kinds.process):
        outcome = original(self)
        self.amount = F("number") if self.pk == records[1].pk else self.amount
        return outcome

    monkeypatch.setattr(Kinds, "process", process)
    run = work_off(start(Kinds.objects.all(), "fill_kinds"))
    assert (run.succeeded, run.failed) == (3, 1)


def test_a_column_of_arrays_is_written_row_by_row(records):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has arrays")
    from django.contrib.postgres.fields import ArrayField
    from django.db import models
    from django.test.utils import isolate_apps

    with isolate_apps("tests.probe"):

        class Listed(models.Model):  # noqa: DJ008
            numbers = ArrayField(models.IntegerField())

            class Meta:
                app_label = "probe"

    with connection.schema_editor() as editor:
        editor.create_model(Listed)
    try:
        made = [Listed.objects.create(numbers=[]) for _ in range(3)]
        changed = bulk.update(Listed, ["numbers"], ["id"], [([n, n + 1], row.pk) for n, row in enumerate(made)])
        assert changed == 3
        assert list(Listed.objects.order_by("pk").values_list("numbers", flat=True)) == [[0, 1], [1, 2], [2, 3]]
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Listed)


def test_a_field_that_the_database_computes_is_refused_by_a_system_check(monkeypatch):
    monkeypatch.setattr(Kinds._meta.get_field("ratio"), "generated", True)
    found = [message for message in checks.record_task_declarations() if message.id == "runs.E007"]
    assert [message.msg for message in found] == [
        "tests.probe.tasks.fill_kinds writes the field 'ratio' of probe.Kinds, which the database computes."
    ]


def test_a_circle_is_refused_in_the_words_of_the_library():
    circle: list = []
    circle.append(circle)
    with pytest.raises(ValueError, match="Circular reference"):
        bulk.update(YourModel, ["issues"], ["id"], [(circle, 1)])
