"""A second record type, as a team would add it."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.urls import reverse

from backoffice.runs.models import Run, State
from backoffice.testing import work_off
from tests.second.models import Invoice
from tests.second.tasks import tax_invoice

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = Path(__file__).resolve().parent.parent / "second"


def test_it_takes_under_forty_lines():
    files = [SECOND / f"{name}.py" for name in ("models", "tasks", "admin")]
    lines = [line for file in files for line in file.read_text().splitlines() if line.strip()]
    assert len(lines) < 40


def test_nothing_in_the_machine_names_it():
    machine = Path(__file__).resolve().parents[2] / "backoffice"
    assert not [path for path in machine.rglob("*.py") if "invoice" in path.read_text().lower()]


def test_staff_process_it_from_its_changelist(admin_client):
    Invoice.objects.bulk_create([Invoice(number=f"I{n}", net=Decimal(n)) for n in range(1, 4)])
    picked = list(Invoice.objects.values_list("pk", flat=True))[:2]
    answer = admin_client.post(
        reverse("admin:second_invoice_changelist"), {"action": "tax_selected", "_selected_action": picked}
    )
    run = Run.objects.get()
    assert answer.url == reverse("admin:runs_run_change", args=[run.pk])
    assert work_off(run).state == State.SUCCESS
    assert list(Invoice.objects.order_by("pk").values_list("gross", flat=True)) == [
        Decimal("1.20"),
        Decimal("2.40"),
        None,
    ]


def test_it_is_called_the_plain_celery_way():
    invoice = Invoice.objects.create(number="I1", net=Decimal("100.00"))
    assert tax_invoice(invoice.pk) == f"Processed instance {invoice.pk}"


def test_the_system_checks_accept_it():
    assert not [message for message in run_checks() if "second" in message.msg]
