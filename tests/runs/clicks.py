"""The list of invoices, and what presses its action."""

from django.urls import reverse

from backoffice.runs.models import Run
from tests.second.models import Invoice

INVOICES = "admin:second_invoice_changelist"


def invoices(number: int) -> list[int]:
    Invoice.objects.bulk_create([Invoice(number=f"I{n}", net=n) for n in range(number)])
    return list(Invoice.objects.values_list("pk", flat=True))


def press(client, picked, **extra):
    data = {"action": "tax_selected", "index": "0", "_selected_action": picked[:1000], **extra}
    return client.post(reverse(INVOICES) + extra.pop("query", ""), data)


def page(run: Run, name: str = "change") -> str:
    return reverse(f"admin:runs_run_{name}", args=[run.pk])
