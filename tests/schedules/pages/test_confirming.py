"""What a page asked about is what is done: not more schedules, and not others than it named."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django_celery_beat.models import PeriodicTask

from backoffice.schedules.models import Firing
from tests.factories import user
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER

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
