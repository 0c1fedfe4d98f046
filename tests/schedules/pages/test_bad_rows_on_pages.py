"""FAULTS 23 in the admin: a row that SQL has spoilt is listed, opened, refused in words, and never an error page."""

import json

import pytest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from tests.factories import user
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER, UNFIT
from tests.schedules.tasks import PROCESS, START_RUN

pytestmark = pytest.mark.django_db

LIST = "admin:django_celery_beat_periodictask_changelist"


def over(**kwargs) -> dict[str, str]:
    return {"task": START_RUN, "kwargs": json.dumps({"task": PROCESS, **kwargs})}


SPOILT = {
    "keyword arguments too deep for JSON": {"kwargs": "[" * 100_000},
    "arguments too deep for JSON": {"args": "[" * 100_000},
    "headers too deep for JSON": {"headers": '{"a":' * 100_000},
    "a list for a task": over(task=[PROCESS]),
    "a null character in the search": over(selection="q=%00"),
    "a value that the database cannot take": over(filter=UNFIT),
    "a beginning after the end of the calendar": {"start_time": "9999-12-31 23:59:59+00:00"},
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_row_is_no_error_page_anywhere(name, admin_client):
    row = factories.row("Spoilt", crontab=factories.crontab("0 2 * * *", "Europe/Berlin"))
    PeriodicTask.objects.filter(pk=row.pk).update(**SPOILT[name])
    for page, args in (("changelist", []), ("change", [row.pk]), ("delete", [row.pk])):
        answer = admin_client.get(reverse(f"admin:django_celery_beat_periodictask_{page}", args=args))
        assert answer.status_code == 200
        assert "Spoilt" in answer.content.decode()
    for action in ("run_selected", "disable_selected", "enable_selected"):
        data = {"action": action, "_selected_action": [row.pk], "confirmed": "1"}
        assert admin_client.post(reverse(LIST), data).status_code == 302
    assert not PeriodicTask.objects.get(pk=row.pk).enabled


def test_nobody_deletes_a_system_schedule_by_an_action_on_its_timing(admin_client):
    row = factories.row("Sweep", task="backoffice.runs.tasks.sweep", interval=factories.interval(5), expire_seconds=5)
    data = {"action": "delete_selected", "_selected_action": [row.interval_id], "post": "yes"}
    admin_client.post(reverse("admin:django_celery_beat_intervalschedule_changelist"), data)
    assert PeriodicTask.objects.filter(pk=row.pk).exists()


def test_staff_delete_their_own_and_no_system_schedule_with_it(client):
    client.force_login(user(*SCHEDULER, username="sam"))
    mine = factories.row("Mine")
    system = factories.row("Sweep", task="backoffice.runs.tasks.sweep", expire_seconds=5)
    for rows in ([mine, system], [mine]):
        data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
        client.post(reverse(LIST), data)
    assert list(PeriodicTask.objects.all()) == [system]
