"""Names and words from outside: of any length, with what no database takes. They are written, and found again."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from backoffice.results.models import Activity
from backoffice.results.values import columns
from backoffice.runs import operations
from backoffice.runs.engine import heartbeats, identity
from backoffice.runs.models import Chunk, Dismissal, Event, Run, Worker
from backoffice.runs.models.likeness import Apart
from backoffice.schedules import enabling
from backoffice.schedules.beat import fire
from backoffice.schedules.models import Firing, Lease, ScheduleState
from tests.runs.factories import poke_all, probes
from tests.schedules import factories

pytestmark = pytest.mark.django_db(transaction=True)
WILD = {"surrogate": "caf\udce9.csv", "null": "a\x00b", "long": "x" * 1_200, "all": "\udce9\x00" * 600}


def run() -> Run:
    probes(2)
    return poke_all()


def firing() -> Firing:
    row = factories.row()
    return Firing.objects.create(schedule=row, schedule_name=row.name, due_at=timezone.now())


MADE: dict[Any, Any] = {
    Run: run,
    Chunk: lambda: run().chunks.earliest("pk"),
    Worker: lambda: Worker.objects.create(name="w"),
    Event: lambda: Event.objects.create(kind=Event.Kind.RUN_FINISHED, run=run()),
    Dismissal: lambda: Dismissal.objects.create(task_id="t", reason="r"),
    Apart: lambda: Apart.objects.create(record_type=ContentType.objects.get_for_model(Run), low=1, high=2, reason="r"),
    Firing: firing,
    ScheduleState: lambda: ScheduleState.objects.create(schedule=factories.row()),
    Lease: Lease.current,
}
COLUMNS = [
    (model, field.name)
    for model in apps.get_models()
    for field in model._meta.concrete_fields
    if isinstance(field, columns.Text | columns.LongText)
]


@pytest.mark.parametrize("text", WILD)
@pytest.mark.parametrize(("model", "name"), COLUMNS, ids=lambda value: getattr(value, "__name__", value))
def test_a_column_for_foreign_text_takes_any_and_finds_it_again(model, name, text):
    made = MADE[model]()
    assert model.objects.filter(pk=made.pk).update(**{name: WILD[text]}) == 1
    setattr(made, name, WILD[text])
    made.save(update_fields=[name])
    assert model.objects.filter(**{name: WILD[text]}).count() == 1


@pytest.mark.parametrize("text", WILD)
def test_a_worker_of_any_name_with_any_queues_lives_and_counts(text, monkeypatch):
    monkeypatch.setattr(identity, "_node", identity.node_name())
    monkeypatch.setattr(heartbeats, "_seen", (float("-inf"), 0))
    identity.become(f"celery@{WILD[text]}")
    try:
        queues = ",".join([*(f"{WILD[text]}{n}" for n in range(50)), "records"])
        heartbeats.report(identity.worker_name(), queues=queues, concurrency=3)
        assert heartbeats.is_alive(identity.worker_name())
        assert (heartbeats.processes(), Worker.objects.get().queues.count(",")) == (3, 50)
    finally:
        monkeypatch.undo()
        identity._main_pid = None


@pytest.mark.parametrize("text", WILD)
def test_a_run_of_any_words_starts_and_is_cancelled(text):
    probes(2)
    wild = WILD[text]
    run = poke_all(requester=wild, selection=wild, schedule_name=wild, form_token=wild)
    assert poke_all(requester=wild, form_token=wild) == run
    operations.cancel(run, wild)
    run.refresh_from_db()
    assert (run.is_finished, run.revoked) == (True, 2)
    assert Activity.objects.filter(verb="run.cancelled").count() == 1


@pytest.mark.parametrize("text", WILD)
def test_a_schedule_is_fired_and_turned_off_in_any_words(text):
    row = factories.row()
    fire.run_now(row, WILD[text])
    assert enabling.disable(row.pk, WILD[text], WILD[text])
    assert ScheduleState.objects.get().reason[:3] in ("caf", "a\\x", "xxx", "\\ud")
