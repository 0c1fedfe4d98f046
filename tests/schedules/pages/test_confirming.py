"""What a page asked about is what is done: not more schedules, and not others than it named."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django_celery_beat.models import PeriodicTask

from backoffice.runs.models import Worker
from backoffice.schedules.models import Firing
from tests.factories import user
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER
from tests.schedules.tasks import PROCESS, START_RUN

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/django_celery_beat/periodictask/"


def changed(**values: Any) -> Callable[[PeriodicTask], object]:
    return lambda row: PeriodicTask.objects.filter(pk=row.pk).update(**values)


MEANWHILE: dict[str, Callable[[PeriodicTask], object]] = {
    "another one is added": lambda row: factories.row("Another"),
    "another name": changed(name="Other"),
    "other arguments": changed(args="[99]"),
    "other times": lambda row: changed(interval=factories.interval(4321))(row),
    "one is gone": lambda row: PeriodicTask.objects.exclude(pk=row.pk).first().delete(),  # type: ignore[union-attr]
}


@pytest.fixture
def sam(client: Client) -> Client:
    client.force_login(user(*SCHEDULER, username="sam"))
    return client


def asked(client: Client, row: PeriodicTask) -> tuple[Any, dict[str, Any]]:
    """The page for all that match, and what its form sends."""
    sent = {"action": "run_selected", "_selected_action": [row.pk], "select_across": "1", "index": "0"}
    page = client.post(LIST, sent)
    return page, dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))


@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
def test_what_changed_since_a_page_asked_is_asked_again_and_not_done(sam: Client, meanwhile: Any) -> None:
    row, _second = factories.row("One"), factories.row("Two")
    _page, form = asked(sam, row)
    meanwhile(row)
    again = sam.post(LIST, form)
    assert "Something has changed since this page asked" in again.text
    assert Firing.objects.count() == 0
    _page, form = asked(sam, row)
    sam.post(LIST, form)
    assert Firing.objects.count() == PeriodicTask.objects.count()


def test_what_is_as_it_was_is_done(sam: Client) -> None:
    row, _second = factories.row("One"), factories.row("Two")
    _page, form = asked(sam, row)
    PeriodicTask.objects.filter(pk=row.pk).update(total_run_count=7, description="Noted")
    assert sam.post(LIST, form).status_code == 302
    assert Firing.objects.count() == 2


# --- from the page of a schedule


def test_run_now_says_of_each_how_many_records_match(sam: Client) -> None:
    sam.force_login(user(*SCHEDULER, "records.view_yourmodel", "records.process_yourmodel", username="rita"))
    factories.partners(3)
    call = {"task": PROCESS, "selection": "country=DE"}
    row = factories.row(task=START_RUN, kwargs=json.dumps(call))
    page = sam.post(LIST, {"action": "run_selected", "_selected_action": [row.pk]})
    assert "3 records match now: country: DE." in page.text
    told = sam.get(f"{LIST}{row.pk}/now/").json()
    assert told["matching"].startswith("3 records match now")
    assert f'name="asked" value="{told["asked"]}"' in page.text


@pytest.mark.parametrize("action", ["run_selected", "disable_selected"])
def test_what_is_pressed_on_a_schedules_page_stays_there(action: str, sam: Client) -> None:
    row = factories.row()
    change = f"{LIST}{row.pk}/change/"
    sent = {"action": action, "_selected_action": [row.pk], "from_page": "1"}
    asked = sam.post(LIST, sent)
    assert change in asked.text  # the way back
    answer = sam.post(LIST, dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', asked.text)))
    assert (answer.status_code, answer["Location"]) == (302, change)
    assert sam.post(LIST, sent | {"confirmed": "1", "select_across": "1"}).status_code == 302


def test_what_run_now_would_do_is_told_to_those_alone_who_may(client: Client) -> None:
    row = factories.row()
    client.force_login(user("django_celery_beat.view_periodictask"))
    assert client.get(f"{LIST}{row.pk}/now/").status_code == 403
    client.force_login(user(*SCHEDULER))
    assert client.get(f"{LIST}{row.pk + 1}/now/").status_code == 403


@pytest.mark.parametrize("page", ["", "add/", "change/"])
def test_list_and_form_say_that_beat_is_down_and_only_then(page: str, sam: Client) -> None:
    row = factories.row()
    url = f"{LIST}{row.pk}/{page}" if page == "change/" else f"{LIST}{page}"
    assert "Beat is not running: nothing fires until it is started." in sam.get(url).text
    Worker.objects.create(name="beat@here", kind=Worker.Kind.BEAT)
    assert "Beat is not running" not in sam.get(url).text
