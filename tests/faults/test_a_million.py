"""FAULTS 21: a click over a million records."""

import pytest
from django.db import connection

from backoffice.runs.models import RunItem, State
from tests.faults.counts import the_run
from tests.probe.models import Probe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MILLION = 1_000_000


def a_million_probes() -> None:
    series = (
        f"generate_series(1, {MILLION}) AS s(n)"
        if connection.vendor == "postgresql"
        else f"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {MILLION}) SELECT n FROM c) s"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO probe_probe (text, behaviour, result, effects, processed)"
            f" SELECT 'p' || n, 'fine', '', 0, false FROM {series}"
        )


def test_a_click_over_a_million_records_takes_seconds_bounded_memory_and_counts_exactly(stage):
    a_million_probes()
    busy = Probe.objects.order_by("pk").values_list("pk", flat=True)[:7]
    web = stage.web()
    web.click(*busy)
    before = web.memory()
    asked = web.click(confirmed=False)
    assert "1,000,000" in asked.text
    answer = web.click()
    print(f"asked {asked.seconds:.1f} s, started {answer.seconds:.1f} s, {(web.memory() - before) / 2**20:.0f} MB")
    assert answer.status == 302
    assert answer.seconds < 60
    assert web.memory() - before < 200 * 2**20
    assert web.get(answer.location).seconds < 5
    run = the_run(newest=True)
    assert (run.total, run.skipped) == (MILLION - 7, 7)
    assert RunItem.objects.of(run).filter(state=State.PENDING).count() == MILLION - 7
