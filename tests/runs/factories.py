"""Records and runs for tests."""

from typing import Any

from backoffice.runs.models import Run, RunItem
from backoffice.runs.start import RunRequest, start_requested
from tests.probe.models import Probe


def probes(number: int, **fields: Any) -> list[Probe]:
    return Probe.objects.bulk_create([Probe(text=f"probe {n}", **fields) for n in range(number)])


def poke_all(**options: Any) -> Run:
    return start_requested(Probe.objects.all(), "poke", RunRequest(**options))


def item(run: Run, record: Any) -> RunItem:
    return RunItem.objects.get(run_id=run.pk, record_id=record.pk)
