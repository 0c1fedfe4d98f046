"""From a record's list to the schedule form and back, with the filters of the list."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from tests.factories import user
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER
from tests.schedules.pages.pages import untouched
from tests.schedules.tasks import PROCESS, START_RUN, TICK

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


# --- a filter is changed in the list


def change_of(row) -> str:
    return reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])


def test_a_filter_is_changed_in_the_list_and_its_moving_days_move_on(client):
    signed_in(client, *SCHEDULER, *PROCESSOR, "records.change_yourmodel")
    call = {"task": PROCESS, "selection": "country=DE&processed_at__gte=today-3"}
    row = factories.row("Mine", task=START_RUN, kwargs=json.dumps(call))
    told = preview_of(client, row)
    assert told["which"].startswith("Country: DE") or "country: DE" in told["which"]
    answer = client.get(told["change"])
    assert answer["Location"].startswith(reverse(RECORDS))
    query = dict(parse_qsl(urlsplit(answer["Location"]).query))
    assert query["processed_at__gte"].startswith("20")  # the list knows no days that move
    buttons = client.get(reverse(RECORDS), query | {"country": "FR"}).context_data["actions_list"]
    (path,) = [found["path"] for found in buttons if found["title"] == "Use this filter for “Mine”"]
    page = client.get(path)
    form = page.context_data["adminform"].form
    assert dict(parse_qsl(form["selection"].value())) == {"country": "FR", "processed_at__gte": "today-3"}
    assert "It counts when it is saved." in page.text
    assert loads(row) == call  # nothing is saved by looking
    client.post(change_of(row), untouched(page.text, "selection"))
    assert dict(parse_qsl(loads(row)["selection"])) == {"country": "FR", "processed_at__gte": "today-3"}
    titles = [found["title"] for found in client.get(reverse(RECORDS)).context_data["actions_list"]]
    assert "Use this filter for “Mine”" not in titles


def loads(row):
    row.refresh_from_db()
    return json.loads(row.kwargs)


def preview_of(client, row):
    sent = untouched(client.get(change_of(row)).text, "selection")
    return client.post(f"{reverse('admin:schedules_preview')}?of={row.pk}", sent).json()


@pytest.mark.parametrize(
    ("permissions", "query", "status"),
    [
        (SCHEDULER, f"task={PROCESS}", 403),
        (PROCESSOR, f"task={PROCESS}", 403),
        ((*PROCESSOR, "django_celery_beat.view_periodictask"), f"task={PROCESS}&of=1", 403),
        ((*SCHEDULER, *PROCESSOR), "task=no.such", 404),
    ],
    ids=["no records", "no schedules", "only to look at", "no such task"],
)
def test_the_way_to_the_list_is_open_to_those_who_may_change_the_schedule(permissions, query, status, client):
    factories.row("Mine", task=START_RUN, kwargs=json.dumps({"task": PROCESS}))
    signed_in(client, *permissions)
    assert client.get(f"{reverse('admin:schedules_choose')}?{query}").status_code == status


NAMES = {
    "Process: all records; at 02:00, every day": {"work": f"records:{PROCESS}"},
    "Process: DE, search “x”; at 02:00, every day": {"work": f"records:{PROCESS}", "selection": "country=DE&q=x"},
    "Process: today; every 5 minutes": {
        **{"work": f"records:{PROCESS}", "selection": "processed_at__gte=today&processed_at__lt=today 1"},
        **{"when": "every", "every": "5", "period": "minutes"},
    },
    "Tick; at 02:00, every day (2)": {"work": TICK},
    "": {"work": f"records:{PROCESS}", "crontab_text": "never"},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_suggested_that_says_what_to_which_and_when(name, client):
    signed_in(client, *SCHEDULER, *PROCESSOR, "records.change_yourmodel")
    factories.row("Tick; at 02:00, every day")
    filled = {"when": "crontab", "crontab_text": "0 2 * * *", "zone": "UTC", "missed": "once", "overlap": "skip"}
    told = client.post(reverse("admin:schedules_preview"), filled | {"enabled": "on"} | NAMES[name]).json()
    assert told["name"] == name, told
