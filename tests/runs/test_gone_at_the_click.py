"""Rows that were ticked and that the list's filter no longer holds at the click: the run says how many."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from backoffice.runs.models import Run
from records.models import YourModel
from tests import factories

pytestmark = pytest.mark.django_db
PERMISSIONS = ("records.view_yourmodel", "records.process_yourmodel")


def click(client, rows, action="process_selected", query="?processed__exact=0", **extra):
    data = {"action": action, "_selected_action": list(rows), "form_token": "a" * 32, **extra}
    return client.post(reverse("admin:records_yourmodel_changelist") + query, data, follow=True)


@pytest.mark.parametrize("action", ["process_selected", "process_later"])
def test_rows_that_left_the_filter_are_told_on_the_run(action, client):
    client.force_login(factories.user(*PERMISSIONS))
    rows = [factories.record().pk for _ in range(5)]
    YourModel.objects.filter(pk__in=rows[:2]).update(processed=True)
    YourModel.objects.filter(pk=rows[2]).delete()
    due = f"{timezone.localtime() + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    page = click(client, rows, action, **({"due_at": due} if action == "process_later" else {})).content.decode()
    run = Run.objects.get()
    assert (run.total, run.skipped, list(run.skip_reasons.values())) == (2, 3, [3])
    assert "Skipped: 3 not found at the start: deleted, or no longer matching the list’s filter" in page


def test_where_all_have_left_the_reason_is_said(client):
    client.force_login(factories.user(*PERMISSIONS))
    row = factories.record(processed=True).pk
    assert "no longer matching the list’s filter" in click(client, [row]).content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize("across", ["0", "1"])
def test_nothing_is_said_where_none_has_left(across, client):
    client.force_login(factories.user(*PERMISSIONS))
    rows = [factories.record().pk for _ in range(3)]
    click(client, rows[: 1 if across == "1" else 3], select_across=across)
    run = Run.objects.get()
    assert (run.total, run.skipped, run.skip_reasons) == (3, 0, {})
