"""What a form's selection chooses is asked before the transaction that saves: nobody waits for it at a lock."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from backoffice.schedules.rules import selection
from tests.factories import user
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER
from tests.schedules.form.test_form import ADD, GOOD

pytestmark = pytest.mark.django_db(transaction=True)
SLOW = {
    "postgresql": "SELECT pg_sleep(30)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
}


@pytest.fixture
def sam(client: Client) -> Client:
    client.force_login(user(*SCHEDULER, "records.process_yourmodel", "records.view_yourmodel", username="sam"))
    return client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each look at a selection, whether it was in a transaction."""
    found: list[bool] = []
    real = selection.understood

    def understood(records: Any) -> Any:
        found.append(connection.in_atomic_block)
        return real(records)

    monkeypatch.setattr(selection, "understood", understood)
    return found


def test_a_new_schedule_is_asked_once_and_outside(sam: Client, asked: list[bool]):
    assert sam.post(reverse(ADD), GOOD).status_code == 302
    assert asked == [False]


def test_a_changed_schedule_is_asked_once_and_outside(sam: Client, asked: list[bool]):
    row = factories.nightly()
    page = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])
    answer = sam.post(page, GOOD | {"selection": "country=DE"})
    assert answer.status_code == 302, answer.context["errors"]
    assert asked == [False]


def test_one_that_takes_too_long_is_an_error_of_its_field_and_spoils_nothing(
    sam: Client, monkeypatch: pytest.MonkeyPatch
):
    def understood(records: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(SLOW[connection.vendor])

    monkeypatch.setattr(selection, "THINKING", 0.2)
    monkeypatch.setattr(selection, "understood", understood)
    answer = sam.post(reverse(ADD), GOOD)
    assert answer.status_code == 200
    assert "did not answer within 0.2 s" in str(answer.context["adminform"].form.errors["selection"])
    assert not PeriodicTask.objects.filter(name=GOOD["name"]).exists()
