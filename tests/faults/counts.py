"""What must agree at the end: effects, ledger, run counts, TaskResult."""

from collections import Counter
from datetime import timedelta

from django.db import OperationalError, connection
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.runs.counting import again
from backoffice.runs.models import Chunk, Run, RunItem, State
from tests.probe.models import Probe
from tests.servers import wait_until


def finished(run: Run) -> bool:
    try:
        run.refresh_from_db()
    except OperationalError:  # the test took the database away
        connection.close()
        return False
    return run.is_finished


def wait_finished(run: Run, seconds: float = 60) -> Run:
    wait_until(lambda: finished(run), seconds, what=f"run {run.pk} finished ({run.done} of {run.total})")
    return run


def the_run(*, newest: bool = False) -> Run:
    return Run.objects.latest("pk") if newest else Run.objects.get()


def one_is_started() -> bool:
    return RunItem.objects.filter(state=State.STARTED).exists()


def some_are_done(number: int = 1) -> bool:
    return (run := Run.objects.first()) is not None and run.done >= number


def assert_agreement(run: Run) -> None:
    """Every item terminal, with one effect if it succeeded, and the same state in its TaskResult row."""
    run.refresh_from_db()
    items = dict(run.items.values_list("record_id", "state"))
    states = Counter(items.values())
    assert (run.succeeded, run.failed, run.revoked) == tuple(states[s] for s in ("SUCCESS", "FAILURE", "REVOKED"))
    assert run.done == run.total == len(items)
    assert not run.items.filter(active=True).exists()
    assert not Chunk.objects.filter(run=run, claimed_at__isnull=False).exists()
    results = dict(TaskResult.objects.filter(task_id__startswith=run.uid).values_list("task_id", "status"))
    assert results == {run.item_task_id(record_id): state for record_id, state in items.items()}
    assert not again.differs(run), "what its records came to is told otherwise"
    effects = dict(Probe.objects.filter(pk__in=items).values_list("pk", "effects"))
    assert effects == {pk: int(items[pk] == State.SUCCESS) for pk in effects}


def assert_all_succeeded(run: Run, number: int) -> None:
    assert_agreement(run)
    assert (run.state, run.succeeded) == (State.SUCCESS, number)


def lease_runs_out_now() -> None:
    """Spares a test half a minute: what its lease would do by itself."""
    Chunk.objects.filter(claimed_at__isnull=False).update(lease_until=timezone.now() - timedelta(seconds=1))
