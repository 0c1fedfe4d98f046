"""Damage of every kind, on real rows, and what `manage.py doctor` says of it."""

from datetime import timedelta

from celery import current_app
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from backoffice.runs.engine import claims
from backoffice.runs.models import Chunk, Run, RunItem, State, Worker
from tests.desk import factories

LONG_AGO = timedelta(hours=1)


def ended() -> Run:
    return Run.objects.earliest("pk")


def waiting() -> Run:
    return Run.objects.latest("pk")


def key_of(item: RunItem) -> str:
    return current_app.backend.get_key_for_task(item.task_id)


def told(item: RunItem, state: str) -> None:
    backend = current_app.backend
    backend.client.set(key_of(item), backend.encode({"status": state, "result": None, "task_id": item.task_id}))


def claimed(**fields: object) -> Chunk:
    chunk, _items = claims.claim(Chunk.objects.earliest("pk").pk)
    Chunk.objects.filter(pk=chunk.pk).update(**fields)
    return chunk


# --- one kind of damage each


def a_row_is_deleted():
    TaskResult.objects.filter(status="SUCCESS").first().delete()


def a_row_says_another_state():
    TaskResult.objects.filter(status="FAILURE").update(status="SUCCESS")


def a_key_says_another_state():
    told(ended().items.filter(state=State.SUCCESS).first(), "FAILURE")


def a_key_cannot_be_read():
    current_app.backend.client.set(key_of(ended().items.first()), "no JSON")


def the_ledger_says_another_state():
    RunItem.objects.filter(state=State.FAILURE).update(state=State.SUCCESS)


def a_row_tells_an_end_too_early():
    factories.result("SUCCESS", task_id=waiting().items.first().task_id)


def a_key_tells_an_end_too_early():
    told(waiting().items.first(), "FAILURE")


def the_counts_are_wrong():
    Run.objects.filter(pk=ended().pk).update(succeeded=1, failed=9)


def the_total_is_wrong():
    Run.objects.filter(pk=waiting().pk).update(total=99)


def a_run_with_nothing_left_is_open():
    Run.objects.filter(pk=ended().pk).update(finished_at=None, state=State.STARTED)


def a_run_says_another_end():
    Run.objects.filter(pk=ended().pk).update(state=State.SUCCESS)


def an_item_waits_in_a_run_that_ended():
    RunItem.objects.filter(state=State.FAILURE).update(state=State.PENDING, finished_at=None)


def an_item_is_held_by_nobody():
    waiting().items.update(state=State.STARTED, chunk_id=10**9, started_at=timezone.now(), attempts=1)


def an_ended_item_holds_its_record():
    Chunk.objects.all().delete()
    waiting().items.all().delete()
    Run.objects.filter(pk=waiting().pk).delete()
    ended().items.update(active=True)


def a_chunk_is_left_of_a_run_that_ended():
    Chunk.objects.create(run=ended(), first=1, last=2, size=2)


def a_lease_ran_out_long_ago():
    claimed(lease_until=timezone.now() - LONG_AGO)


MENDED = {
    a_row_is_deleted: "1 rows missing",
    a_row_says_another_state: "1 rows wrong",
    a_key_says_another_state: "1 keys in Redis wrong",
    a_key_cannot_be_read: "1 keys in Redis wrong",
    the_ledger_says_another_state: "1 rows wrong, 1 keys in Redis wrong, 1 runs counted or closed wrongly",
    a_row_tells_an_end_too_early: "1 results of items that have not ended",
    a_key_tells_an_end_too_early: "1 results of items that have not ended",
    the_counts_are_wrong: "1 runs counted or closed wrongly",
    the_total_is_wrong: "1 runs counted or closed wrongly",
    a_run_with_nothing_left_is_open: "1 runs counted or closed wrongly",
    a_run_says_another_end: "1 runs counted or closed wrongly",
    an_item_waits_in_a_run_that_ended: "1 results of items that have not ended",
    an_item_is_held_by_nobody: "5 items held by nobody",
    an_ended_item_holds_its_record: "5 items that hold their record wrongly",
    a_chunk_is_left_of_a_run_that_ended: "1 chunks of ended runs",
    a_lease_ran_out_long_ago: "1 expired and was not released",
}


# --- what only people can mend


def no_worker_reports():
    Worker.objects.filter(kind=Worker.Kind.WORKER).update(seen_at=timezone.now() - LONG_AGO)


def a_queue_has_nobody():
    Worker.objects.filter(kind=Worker.Kind.WORKER).update(queues="records,tasks")


def beat_is_dead():
    Worker.objects.filter(kind=Worker.Kind.BEAT).update(seen_at=timezone.now() - LONG_AGO)


def the_sweep_is_off():
    PeriodicTask.objects.filter(task="backoffice.runs.tasks.sweep").update(enabled=False)


def the_retention_is_gone():
    PeriodicTask.objects.filter(name="Retention").delete()


def a_chunk_waits_for_ever():
    Chunk.objects.update(created_at=timezone.now() - LONG_AGO)


FOR_PEOPLE = {
    no_worker_reports: ("Workers", "No worker reported", "celery -A backoffice worker"),
    a_queue_has_nobody: ("Workers", "No worker serves the queue “control”", "-Q control"),
    beat_is_dead: ("Beat", "Not seen within 30 seconds", "celery -A backoffice beat"),
    the_sweep_is_off: ("System schedules", "“Sweep”", "page Schedules"),
    the_retention_is_gone: ("System schedules", "apply_retention", "manage.py setup_backoffice"),
    a_chunk_waits_for_ever: ("Oldest work", "has waited for a worker", "Look at workers"),
}
