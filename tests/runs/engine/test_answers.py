"""What `.get()` returns: a sentence, or what the body said; of a plain call, of a run's item, of a repaired one."""

import json
from datetime import timedelta

import pytest
from celery.result import AsyncResult
from django.core.checks import run_checks
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django_celery_results.models import TaskResult

from backoffice.runs.doctor.compare import measure
from backoffice.runs.models import RunItem, State
from backoffice.runs.seam import Outcome, start
from backoffice.testing import work_off, worker
from tests.probe.models import Probe
from tests.probe.tasks import poke_and_tell
from tests.second.models import Invoice
from tests.second.tasks import tax_invoice

pytestmark = pytest.mark.django_db(transaction=True)
TAXED = {"label": "taxed", "detail": "120.00"}


@pytest.fixture
def asks(monkeypatch):
    monkeypatch.setattr(tax_invoice, "result", "outcome")


@pytest.fixture
def invoice() -> Invoice:
    return Invoice.objects.create(number="I1", net=100)


def test_the_sentence_is_what_a_call_returns_if_nothing_is_said(invoice):
    assert tax_invoice(invoice.pk) == f"Processed instance {invoice.pk}"
    assert tax_invoice(10**9) == f"Instance {10**9} not found."


@pytest.mark.usefixtures("asks")
def test_a_plain_call_returns_the_outcome(invoice):
    assert tax_invoice(invoice.pk) == TAXED
    assert tax_invoice(str(invoice.pk)) == TAXED
    assert tax_invoice(10**9) == {"label": "not found", "detail": f"Instance {10**9} not found."}
    assert tax_invoice("seven") == {"label": "not found", "detail": "Instance seven not found."}


@pytest.mark.usefixtures("asks")
@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (None, {"label": "done", "detail": ""}),
        (Outcome("taxed"), {"label": "taxed", "detail": ""}),
        (Outcome(gettext_lazy("yes"), gettext_lazy("no")), {"label": "yes", "detail": "no"}),
        (Outcome("nul \0", "x" * 30_000), {"label": "nul ", "detail": "x"}),
        ("a text", {"label": "a text", "detail": ""}),
    ],
)
def test_whatever_the_body_said_is_json_and_fits_a_column(monkeypatch, invoice, given, answer, elsewhere):
    monkeypatch.setattr(tax_invoice, "writes_elsewhere", elsewhere)
    monkeypatch.setattr(tax_invoice, "body", lambda _invoice: given)
    found = tax_invoice(invoice.pk)
    assert json.loads(json.dumps(found)) == found
    assert len(found["detail"]) <= 20_001
    assert all(found[name].startswith(text) for name, text in answer.items())
    run = work_off(start([invoice.pk], "tax_invoice"))
    assert AsyncResult(run.item_task_id(invoice.pk)).get(timeout=2) == found


@pytest.mark.usefixtures("asks")
def test_a_repaired_row_says_it_too(invoice):
    run = work_off(start([invoice.pk], "tax_invoice"))
    result = AsyncResult(run.item_task_id(invoice.pk))
    assert result.get(timeout=2) == TAXED
    RunItem.objects.update(finished_at=timezone.now() - timedelta(minutes=1))  # older than what may still be on its way
    TaskResult.objects.all().delete()
    result.backend.client.flushall()
    measure(repair=True)
    assert AsyncResult(result.id).get(timeout=2) == TAXED


@pytest.mark.processes
def test_a_real_worker_returns_what_the_declaration_asks_for():
    probe = Probe.objects.create(text="a")
    with worker():
        assert poke_and_tell.delay(probe.pk).get(timeout=30) == {"label": "done", "detail": "A"}
        run = start([probe.pk], "poke_and_tell").wait(30)
        assert run.state == State.SUCCESS
        assert AsyncResult(run.item_task_id(probe.pk)).get(timeout=5)["detail"] == "A"


def test_another_word_is_named_by_the_system_check(monkeypatch):
    monkeypatch.setattr(tax_invoice, "result", "record")
    (found,) = [each for each in run_checks(tags=["runs"]) if each.id == "runs.E017"]
    assert found.msg == "tests.second.tasks.tax_invoice has the result 'record'."
