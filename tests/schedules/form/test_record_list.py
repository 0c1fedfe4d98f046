"""From a record's list to the schedule form and back, with the filters of the list."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from tests.factories import user
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER
from tests.schedules.tasks import PROCESS, START_RUN

pytestmark = pytest.mark.django_db

RECORDS = "admin:records_yourmodel_changelist"
INVOICES = "admin:second_invoice_changelist"
PROCESSOR = ("records.view_yourmodel", "records.process_yourmodel")
NAME = "Schedule this filter"


def signed_in(client, *permissions):
    client.force_login(user(*permissions, username="sam"))
    return client


def button(client, url_name, **query) -> str:
    """Where the list's button leads; "" where there is none."""
    buttons = client.get(reverse(url_name), query).context_data.get("actions_list", [])
    return next((found["path"] for found in buttons if found["title"] == NAME), "")


def test_the_button_opens_the_form_with_the_filters_and_the_search_of_the_list(client):
    signed_in(client, *SCHEDULER, *PROCESSOR)
    path = button(client, RECORDS, processed__exact="0", q="a?b & c", o="-2", p="1")
    filled = dict(parse_qsl(urlsplit(path).query))
    assert filled["work"] == f"records:{PROCESS}"
    assert dict(parse_qsl(filled["selection"])) == {"processed__exact": "0", "q": "a?b & c"}
    form = client.get(path).context_data["adminform"].form
    assert (form.initial["work"], form.initial["selection"]) == (filled["work"], filled["selection"])
    answer = client.post(
        path,
        {
            **filled,
            **{"name": "Nightly", "enabled": "on", "when": "crontab", "crontab_text": "0 2 * * *"},
            **{"zone": "UTC", "missed": "once", "overlap": "skip"},
        },
    )
    assert answer.status_code == 302
    assert json.loads(PeriodicTask.objects.get().kwargs)["selection"] == filled["selection"]


def test_a_model_of_another_team_has_the_button_by_itself(client):
    signed_in(client, *SCHEDULER, "second.view_invoice", "second.change_invoice")
    filled = dict(parse_qsl(urlsplit(button(client, INVOICES)).query))
    assert filled["work"] == "records:tests.second.tasks.tax_invoice"
    assert filled["work"] in str(client.get(button(client, INVOICES)).content)


@pytest.mark.parametrize(
    "permissions", [PROCESSOR, (*SCHEDULER, "records.view_yourmodel")], ids=["no schedules", "no record task"]
)
def test_whoever_may_not_schedule_these_records_has_no_button(permissions, client):
    assert button(signed_in(client, *permissions), RECORDS) == ""


def test_whoever_may_not_add_schedules_does_not_reach_the_form_by_its_address(client):
    signed_in(client, *PROCESSOR)
    path = f"{reverse('admin:django_celery_beat_periodictask_add')}?work=records:{PROCESS}"
    assert client.get(path).status_code == 403


def test_a_page_that_an_action_answers_with_has_no_button(client):
    signed_in(client, *SCHEDULER, *PROCESSOR)
    rows = [row.pk for row in factories.partners(1)]
    page = client.post(reverse(RECORDS), {"action": "process_later", "_selected_action": rows})
    assert page.templates
    assert NAME not in page.content.decode()


@pytest.mark.parametrize("kwargs", [{"filter": {"processed": False}}, {"selection": "processed__exact=0"}])
def test_the_page_of_a_schedule_leads_back_to_the_list_with_its_filter(kwargs, client):
    signed_in(client, *SCHEDULER, *PROCESSOR)
    row = factories.row("Mine", task=START_RUN, kwargs=json.dumps({"task": PROCESS, **kwargs}))
    page = client.get(reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])).content.decode()
    assert f'href="{reverse(RECORDS)}?processed__exact=0"' in page


def test_the_page_of_a_schedule_offers_no_list_to_whoever_may_not_see_its_records(client):
    signed_in(client, "django_celery_beat.view_periodictask")
    row = factories.row("Mine", task=START_RUN, kwargs=json.dumps({"task": PROCESS}))
    page = client.get(reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])).content.decode()
    assert f'href="{reverse(RECORDS)}' not in page
