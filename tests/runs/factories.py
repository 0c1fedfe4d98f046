"""Records and runs for tests."""

from typing import Any

from backoffice.runs.engine import chunks
from backoffice.runs.models import Chunk, Run, RunItem
from backoffice.runs.registry import find
from backoffice.runs.start import RunRequest, start_requested
from tests.probe.models import Probe


def probes(number: int, **fields: Any) -> list[Probe]:
    return Probe.objects.bulk_create([Probe(text=f"probe {n}", **fields) for n in range(number)])


def poke_all(**options: Any) -> Run:
    return start_requested(Probe.objects.all(), "poke", RunRequest(**options))


def work_off(run: Run, limit: int = 1000) -> Run:
    """Do in this process what workers would: take chunk after chunk until none is waiting."""
    task = find(run.task.name)
    for _ in range(limit):
        chunk = Chunk.objects.unclaimed().filter(run=run).order_by("pk").first()
        if chunk is None:
            break
        chunks.work(task, chunk.pk)
    run.refresh_from_db()
    return run


def item(run: Run, record: Any) -> RunItem:
    return RunItem.objects.get(run_id=run.pk, record_id=record.pk)
