"""From the click to the run."""

import pytest
from django.db import OperationalError
from django.urls import reverse

from backoffice.runs.engine import broker
from backoffice.runs.models import Run
from tests.factories import user
from tests.runs.clicks import INVOICES, invoices, page, press

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_click_makes_a_run_and_lands_on_its_page(clerk):
    answer = press(clerk, invoices(3))
    run = Run.objects.get()
    assert answer.url == page(run)
    assert (run.total, run.requester_name, run.source) == (3, "clerk", "action")
    assert run.selection == "3 records, selected by hand"


def test_select_all_means_all_that_the_filter_matches(clerk):
    invoices(150)
    answer = clerk.post(
        reverse(INVOICES) + "?q=", {"action": "tax_selected", "select_across": "1", "_selected_action": invoices(1)[:1]}
    )
    assert answer.status_code == 302
    assert Run.objects.get().total == 151


def test_above_the_bound_a_page_says_how_many_and_why_before_anything_happens(clerk, settings):
    settings.RUNS_CONFIRM_ABOVE = 10
    picked = invoices(12)
    press(clerk, picked[:2])
    answer = press(clerk, picked, select_across="1")
    assert answer.status_code == 200
    assert (answer.context_data["preview"].matched, answer.context_data["preview"].eligible) == (12, 10)
    assert "already in an active run" in answer.content.decode()
    assert Run.objects.count() == 1
    answer = press(clerk, picked, select_across="1", confirmed="1")
    assert Run.objects.latest("pk").total == 10


def test_a_doubled_or_replayed_post_makes_one_run(clerk):
    picked = invoices(3)
    first, second = press(clerk, picked, form_token="t"), press(clerk, picked, form_token="t")
    assert first.url == second.url
    assert Run.objects.count() == 1


def test_another_selection_from_the_same_page_is_another_click(clerk):
    picked = invoices(3)
    press(clerk, picked[:1], form_token="t")
    press(clerk, picked[1:], form_token="t")
    assert Run.objects.count() == 2


def test_without_the_permission_the_action_is_neither_shown_nor_done(client):
    picked = invoices(2)
    client.force_login(user("second.view_invoice", username="viewer"))
    assert "tax_selected" not in client.get(reverse(INVOICES)).content.decode()
    answer = press(client, picked)
    assert answer.status_code == 403
    assert not Run.objects.exists()


def test_nothing_selected_is_said(clerk):
    invoices(1)
    answer = clerk.post(reverse(INVOICES), {"action": "tax_selected", "index": "0"}, follow=True)
    assert "Items must be selected" in answer.content.decode()
    assert not Run.objects.exists()


def test_without_redis_the_click_is_kept_and_said_to_wait(clerk, monkeypatch):
    class Away:
        name = "away"

        def apply_async(self, *_args, **_kwargs):
            raise broker.OperationalError("refused")

    monkeypatch.setattr(broker, "find", lambda _name: Away())
    answer = press(clerk, invoices(2))
    text = clerk.get(answer.url).content.decode()
    assert "Redis cannot be reached right now: the run is saved" in text
    assert Run.objects.get().total == 2


def test_a_click_that_the_database_refuses_leaves_no_trace(clerk, monkeypatch):
    def locked(*_args, **_kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr("backoffice.runs.snapshot.write", locked)
    with pytest.raises(OperationalError):
        press(clerk, invoices(2))
    assert not Run.objects.exists()
