"""A date that moves, chosen by clicking and from a list, fired by a real beat and taken by a real worker."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Browser, expect

from backoffice.runs.models import Run
from records.models import YourModel
from tests.browser.page import Watched, accessibility_problems, watched_page
from tests.factories import user
from tests.schedules import factories
from tests.schedules.beat.beats import running_beat
from tests.servers import wait_until
from tests.workers import Worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
LIST = "/admin/django_celery_beat/periodictask/"
PASSWORD = "a long one"


@pytest.fixture
def scheduler(transactional_db: None, live_server: object, browser: Browser) -> Iterator[Watched]:
    call_command("loaddata", "groups", verbosity=0)
    user(username="scheduler", password=PASSWORD).groups.add(Group.objects.get(name="Scheduler"))
    with watched_page(browser, str(live_server)) as watched:
        watched.sign_in("scheduler", PASSWORD)
        yield watched
        assert watched.problems == []


def changed_on_other_days() -> None:
    """Of four partners two were changed before today."""
    partners = factories.partners(4)
    YourModel.objects.filter(pk__in=[row.pk for row in partners[:2]]).update(
        processed_at=timezone.now() - timedelta(days=1)
    )
    YourModel.objects.filter(pk=partners[2].pk).update(processed_at=timezone.now())


def test_a_scheduler_chooses_a_date_that_moves_and_beat_fires_it(scheduler: Watched, worker: Worker):
    changed_on_other_days()
    page = scheduler.open(f"{LIST}add/")
    page.fill("[name=name]", "Yesterday's")
    expect(page.locator("[data-dates]")).to_be_hidden()
    page.select_option("[name=work]", index=1)
    page.fill("[name=selection]", "processed_at__gte=2020-01-01&role=supplier&processed__exact=0")
    page.locator("[data-dates] summary").click()
    page.select_option("[data-span]", label="before today")
    page.get_by_role("button", name="Add to the filter").click()
    expect(page.locator("[name=selection]")).to_have_value("role=supplier&processed__exact=0&processed_at__lt=today")
    page.fill("[name=selection]", "processed_at__lt=today")
    expect(page.locator("[data-part=matching]")).to_have_text(
        f"2 records match now: processed at before today ({timezone.localdate()}). 2 of them need it."
    )
    assert accessibility_problems(page) == []
    page.get_by_label("Repeatedly").check()
    page.fill("[name=every]", "1")
    page.select_option("[name=period]", "minutes")
    page.click("button[name=_save]")
    expect(page.locator("#result_list")).to_contain_text("processed at before today")
    row = PeriodicTask.objects.get()
    assert json.loads(row.kwargs)["selection"] == "processed_at__lt=today"
    row.interval = factories.interval(1)  # not a minute, which the form allows at least
    row.save()
    with running_beat():
        wait_until(lambda: Run.objects.exclude(finished_at=None).exists(), 60, what="the run")
    run = Run.objects.earliest("pk")
    assert (run.total, run.succeeded) == (2, 2)
    assert run.schedule_name == row.name
    assert run.selection == f"processed at before today ({timezone.localdate()})"
