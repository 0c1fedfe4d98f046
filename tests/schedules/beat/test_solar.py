"""Solar schedules: kept by the form, fired once per event where the library `ephem` is installed.

Where it is not they are turned off with the reason: see test_scheduler_bad_rows.
"""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask, SolarSchedule

from backoffice.schedules.rules import timing
from tests.schedules import factories
from tests.schedules.tasks import TICK

pytestmark = [pytest.mark.django_db, pytest.mark.once]

FORM = {"name": "Evening", "work": TICK, "when": "solar", "missed": "once", "overlap": "skip"}


def evening(**values) -> PeriodicTask:
    return factories.row(
        "Evening", solar=SolarSchedule.objects.create(event="sunset", latitude=52, longitude=13), **values
    )


def test_saving_a_solar_row_with_something_else_changed_keeps_its_timing(admin_client):
    row = evening(enabled=False)
    url = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])
    assert admin_client.get(url).context_data["adminform"].form["when"].value() == "solar"
    answer = admin_client.post(url, {**FORM, "description": "When it gets dark."})
    row.refresh_from_db()
    assert (row.solar.event, row.crontab) == ("sunset", None)
    # Without the library nothing can be checked, and so nothing is saved.
    assert ("ephem" in answer.content.decode()) == (answer.status_code == 200) == (row.description == "")


def test_the_form_offers_no_solar_event_for_a_new_schedule(admin_client):
    assert (
        'value="solar"' not in admin_client.get(reverse("admin:django_celery_beat_periodictask_add")).content.decode()
    )


class Sun:
    """As ephem answers: each time it is asked, noon is a few milliseconds later."""

    asked = 0

    def remaining_estimate(self, moment):
        self.asked += 1
        noon = moment.replace(hour=12, minute=0, second=0, microsecond=self.asked * 5_000)
        return (noon if noon > moment else noon + timedelta(days=1)) - moment


def test_an_event_comes_once_though_its_time_is_computed_differently_each_time():
    row = SimpleNamespace(solar=SimpleNamespace(schedule=Sun()), expires=None, clocked_id=None, crontab_id=None)
    row.interval_id = row.start_time = None
    moment, found = datetime(2026, 1, 1, 11, tzinfo=UTC), []
    for _day in range(20):  # as beat does: each time anew from the last decision
        moment = next(islice(timing.due_times(row, moment), 1))
        found.append(moment)
    assert all(later - earlier > timedelta(hours=23) for earlier, later in pairwise(found))
