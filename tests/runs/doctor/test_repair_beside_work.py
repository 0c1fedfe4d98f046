"""`doctor` and `--repair` beside workers, and beside each other: no error, and nothing undone that was right."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.results.models import Activity
from backoffice.runs.doctor.compare import measure
from backoffice.runs.doctor.repair import repair
from backoffice.runs.models import Chunk, Run, RunItem, State
from backoffice.runs.registry import find
from backoffice.runs.start import task_name
from backoffice.testing import work_off
from tests.faults.counts import assert_all_succeeded, wait_finished
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes
from tests.servers import wait_until
from tests.workers import ROOT, running_worker

pytestmark = pytest.mark.django_db(transaction=True)


def many_runs(number: int) -> None:
    """More than are read at a time."""
    kind, name = ContentType.objects.get_for_model(Probe), task_name(find("poke"))
    ended = {"state": State.SUCCESS, "activated_at": timezone.now(), "finished_at": timezone.now()}
    Run.objects.bulk_create(Run(task=name, record_type=kind, **ended) for _ in range(number))


@pytest.mark.processes
@pytest.mark.parametrize("look", [measure, lambda: repair("doctor")], ids=["doctor", "repair"])
def test_a_look_at_everything_goes_through_beside_a_run(look):
    many_runs(250)
    probes(400, behaviour="slow")
    with running_worker(PROBE_SECONDS="0.02"):
        run, looks = poke_all(), 0
        wait_until(lambda: Run.objects.get(pk=run.pk).done, what="work going on")
        while not Run.objects.get(pk=run.pk).is_finished:
            assert look().total == 0
            looks += 1
        wait_finished(run)
    assert looks
    assert_all_succeeded(run, 400)


def damage(run: Run) -> None:
    """One of each kind that a repair mends."""
    records = list(run.items.order_by("record_id").values_list("record_id", flat=True))
    ids = [run.item_task_id(record_id) for record_id in records]
    TaskResult.objects.filter(task_id__in=ids[:5]).delete()
    TaskResult.objects.filter(task_id__in=ids[5:10]).update(status="FAILURE")
    items = RunItem.objects.of(run)
    items.filter(record_id__in=records[10:15]).update(active=True)
    items.filter(record_id__in=records[15:20]).update(state=State.STARTED, chunk_id=10**9, finished_at=None)
    Chunk.objects.create(run=run, first=records[0], last=records[0], size=1)
    back = timezone.now() - timedelta(minutes=1)
    Run.objects.filter(pk=run.pk).update(succeeded=1, failed=7, finished_at=back)


def test_two_repairs_at_once_mend_and_log_each_thing_once():
    probes(40)
    run = work_off(poke_all())
    back = timezone.now() - timedelta(minutes=1)
    RunItem.objects.update(finished_at=back)
    Run.objects.update(finished_at=back)
    for _time in range(5):
        damage(run)
        before = Activity.objects.filter(verb="run.repaired").count()
        errors, both = [], threading.Barrier(2)

        def mend(errors=errors, both=both):
            try:
                both.wait(10)
                measure(repair=True)
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=mend) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert errors == []
        logged = [set(entry.details) for entry in Activity.objects.filter(verb="run.repaired").order_by("pk")[before:]]
        assert [sum(kind in found for found in logged) for kind in ("orphans", "chunks_left")] == [1, 1]
        RunItem.objects.of(run).filter(state=State.PENDING).update(state=State.SUCCESS, finished_at=back, active=False)
        measure(repair=True)
        assert measure().total == 0


def test_a_look_takes_no_lock_that_holds_workers_up(is_sqlite):
    if not is_sqlite:
        pytest.skip("SQLite's lock is the whole database")
    many_runs(3)
    held, done = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            Probe.objects.create()
            held.set()
            done.wait(15)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    held.wait(10)
    began = time.monotonic()
    try:
        assert measure().total == 0
        assert time.monotonic() - began < 5
    finally:
        done.set()
        writer.join()


def test_no_cursor_stays_open_where_something_may_be_written():
    """An export only reads, in the order of its list, and the keys to delete are read to their end before anything is
    written. Everything else reads by key (`results.batches`)."""
    found = {
        str(path.relative_to(ROOT))
        for folder in ("backoffice", "records")
        for path in Path(ROOT, folder).rglob("*.py")
        if ".iterator(" in path.read_text()
    }
    assert found == {"backoffice/exchange/export.py", "backoffice/runs/pages/deleting.py"}
