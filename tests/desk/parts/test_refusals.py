"""Refused pages and actions stand in the activity log; a loop does not fill it."""

import pytest
from django.test import Client

from backoffice.desk.parts.refusals import is_told
from backoffice.results.models import Activity
from tests.factories import record, user

pytestmark = pytest.mark.django_db
RESULTS = "/admin/django_celery_results/taskresult/"


def refusals(verb: str = "access.refused") -> list[Activity]:
    return list(Activity.objects.filter(verb=verb).order_by("pk"))


def test_a_refused_page_is_logged_with_who_and_what(client: Client):
    anna = user()
    client.force_login(anna)
    assert client.get(RESULTS).status_code == 403
    (entry,) = refusals()
    assert (entry.actor, entry.target) == (anna.get_username(), RESULTS)
    assert entry.details == {"method": "GET", "page": "django_celery_results_taskresult_changelist", "times": 1}


@pytest.mark.spared
def test_a_loop_makes_an_entry_for_each_power_of_ten(client: Client):
    client.force_login(user())
    for number in range(105):
        client.get(f"{RESULTS}{number}/text/result/")
        client.post(f"{RESULTS}{number}/delete/", {"post": "yes"})
    assert [entry.details["times"] for entry in refusals()] == [1, 10, 100]
    assert [number for number in range(1, 20_001) if is_told(number)] == [1, 10, 100, 1_000, 10_000]


def test_one_persons_loop_hides_nobody_elses_refusal(client: Client):
    for who in (user(), user()):
        client.force_login(who)
        client.get(RESULTS)
    assert len({entry.actor for entry in refusals()}) == 2


def test_an_action_that_is_not_offered_is_refused_and_logged_once(client: Client):
    client.force_login(user("records.view_yourmodel"))
    about = record()
    data = {"action": "process_selected", "_selected_action": [about.pk], "index": "0"}
    assert client.post("/admin/records/yourmodel/", data).status_code == 403
    (entry,) = refusals()
    assert entry.details["action"] == "process_selected"
    about.refresh_from_db()
    assert not about.processed


def test_what_is_allowed_is_no_refusal(client: Client):
    client.force_login(user(is_superuser=True))
    about = record()
    client.get(RESULTS)
    client.post("/admin/records/yourmodel/", {"action": "delete_selected", "_selected_action": [about.pk]})
    assert refusals() == []
