"""What people may ask and change around schedules without the rights for it: nothing."""

import time

import pytest
from django.contrib import admin
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule

from backoffice.runs.database.bounded import TooSlow
from backoffice.runs.models import Run
from backoffice.runs.start import start
from backoffice.schedules import scheduled
from backoffice.schedules.models import Firing
from backoffice.schedules.rules import selection
from backoffice.schedules.rules.lookups import LOOKUPS
from backoffice.schedules.rules.verify import BadSchedule, verify
from records.models import YourModel
from tests.factories import user
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER
from tests.schedules.form.test_form import GOOD
from tests.schedules.tasks import PROCESS

pytestmark = pytest.mark.django_db

PREVIEW = "admin:schedules_preview"
SLOW = r"^(\w+\s?)*$"  # on the name of a record: for ever, on either database
NEVER = [
    "name__regex=" + SLOW,
    "name__iregex=" + SLOW,
    "name__exact__regex=" + SLOW,
    "reference__regex=^P",
    "normalised__phone__regex=^%2B49",
    "issues__0__code__iregex=x",
]
HIDDEN = [
    "normalised__icontains=49",
    "created_at__gte=2020-01-01 00:00Z",
    "issues__contains=x",
    "rules_version__isnull=0",
]


def ask(client, **changes):
    return client.post(reverse(PREVIEW), {**GOOD, **changes}).json()


def login(client, *permissions):
    person = user(*SCHEDULER, *permissions, username="sam")
    client.force_login(person)
    return person


@pytest.fixture
def sam(client):
    return login(client, "records.process_yourmodel", "records.view_yourmodel")


@pytest.mark.parametrize("query", [*NEVER, *HIDDEN])
def test_neither_a_regular_expression_nor_a_field_one_does_not_see_is_answered_or_saved(query, client, sam):
    YourModel.objects.create(reference="P1", name="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")
    began = time.monotonic()
    answer = ask(client, selection=query)
    assert answer["matching"] == ""
    assert "selection" in answer["errors"]
    page = client.post(reverse("admin:django_celery_beat_periodictask_add"), {**GOOD, "selection": query})
    assert page.status_code == 200
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("query", NEVER)
def test_a_regular_expression_that_stands_in_a_row_is_refused_at_its_firing(query):
    """By address and by field, by beat that reads the row and by the worker that takes the message."""
    YourModel.objects.create(reference="P1", name="a" * 60 + "!")
    name, value = query.split("=", 1)
    row = factories.nightly()
    for chosen in ({"selection": query}, {"filter": {name: value}}):
        with pytest.raises(selection.BadSelection):
            selection.records(YourModel, chosen)
        firing = Firing.objects.create(schedule=row, schedule_name=row.name, due_at=row.date_changed, state="sent")
        with pytest.raises(ValueError, match="cannot use|no field|know this filter"):
            scheduled.start_run(PROCESS, chosen, schedule_name=row.name, firing_id=firing.pk)
        firing.refresh_from_db()
        assert firing.note
        firing.delete()
    row.kwargs = f'{{"task": "{PROCESS}", "filter": {{"name__regex": "x"}}}}'
    with pytest.raises(BadSchedule):
        verify(row)


@pytest.mark.parametrize(
    "query", ["q=part", "verdict=invalid", "processed__exact=0", "country=DE", "issue=phone.spelling"]
)
def test_the_lists_own_filters_are_answered(query, client, sam):
    factories.partners()
    answer = ask(client, selection=query)
    assert "match" in answer["matching"], answer


def test_every_declared_lookup_is_answered_on_a_field_one_sees(client, sam):
    factories.partners()
    for lookup in sorted(LOOKUPS):
        assert (
            "match" in ask(client, selection=f"name__{lookup}={'0' if lookup == 'isnull' else 'Partner 1'}")["matching"]
        )


@pytest.mark.parametrize("permissions", [(), ("records.process_yourmodel",), ("records.view_yourmodel",)])
def test_who_may_not_look_or_not_start_is_told_no_number(permissions, client):
    factories.partners()
    login(client, *permissions)
    for query in ("", "name__startswith=P", "q=Partner"):
        answer = ask(client, selection=query)
        assert answer["matching"] == ""
    if "records.process_yourmodel" in permissions:
        assert "Only who may look at" in answer["errors"]["selection"][0]


def test_rows_that_the_list_hides_from_a_person_are_not_counted_nor_run(client, sam, monkeypatch):
    """A list that shows each person their own: the schedule of that person takes no other."""
    factories.partners()
    model_admin = admin.site._registry[YourModel]
    seen = type(model_admin).get_queryset

    def own(self, request):
        found = seen(self, request)
        return found if request.user.is_superuser else found.filter(reference="P0001")

    monkeypatch.setattr(type(model_admin), "get_queryset", own)
    assert ask(client, selection="")["matching"].startswith("1 record matches")
    assert ask(client, selection="country__exact=DE")["matching"].startswith("1 record matches")
    assert selection.records(YourModel, {}, sam).count() == 1
    assert selection.records(YourModel, {}).count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_selection_that_takes_too_long_starts_nothing_and_says_so(monkeypatch):
    YourModel.objects.bulk_create([YourModel(reference=f"R{n}", name="x" * 200) for n in range(20_000)])
    row = factories.nightly()
    firing = Firing.objects.create(schedule=row, schedule_name=row.name, due_at=row.date_changed, state="sent")
    monkeypatch.setattr(scheduled, "LONGEST", 0.002)
    with pytest.raises(ValueError, match="did not answer within") as error:
        scheduled.start_run(PROCESS, {}, schedule_name=row.name, firing_id=firing.pk)
    assert isinstance(error.value.__cause__, TooSlow)
    assert not Run.objects.exists()


# --- the tables of timings ------------------------------------------------------------------------------------------


def change(client, timing, **data):
    name, used = timing._meta.model_name, timing.periodictask_set.count()
    inline = {"periodictask_set-TOTAL_FORMS": used, "periodictask_set-INITIAL_FORMS": used}
    return client.post(reverse(f"admin:django_celery_beat_{name}_change", args=[timing.pk]), {**inline, **data})


TIMING = ("django_celery_beat.change_intervalschedule", "django_celery_beat.delete_intervalschedule")


@pytest.mark.parametrize(
    "permissions",
    [TIMING, (*TIMING, "django_celery_beat.view_periodictask"), ("django_celery_beat.change_periodictask",)],
)
def test_an_interval_in_use_is_changed_only_by_those_who_may_change_its_schedules(permissions, client):
    client.force_login(user(*permissions, username="eve"))
    row = factories.row()
    assert change(client, row.interval, every="30", period="seconds").status_code == 403
    row.interval.refresh_from_db()
    assert row.interval.every == 60


def test_with_both_rights_it_is_changed_but_not_below_what_the_form_allows(client):
    client.force_login(user(*TIMING, *SCHEDULER, username="sam"))
    row = factories.row()
    assert "shortest interval is 10" in change(client, row.interval, every="1", period="seconds").content.decode()
    assert change(client, row.interval, every="30", period="seconds").status_code == 302
    row.interval.refresh_from_db()
    assert row.interval.every == 30


def test_an_interval_that_nobody_uses_needs_its_own_right_alone(client):
    client.force_login(user(*TIMING, username="sam"))
    free = factories.interval(45)
    assert change(client, free, every="50", period="seconds").status_code == 302
    assert IntervalSchedule.objects.get().every == 50


# --- the page of a run ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("permission", ["runs.view_run", "records.process_yourmodel"])
def test_the_page_of_a_run_names_no_record_to_those_who_may_not_look_at_records(permission, client):
    person = user(permission, username="sam")
    client.force_login(person)
    factories.partners()
    run = start(YourModel.objects.all(), PROCESS, by=str(person))
    Run.objects.update(requester=person)
    record = YourModel.objects.first()
    address = reverse("admin:runs_run_change", args=[run.pk])
    page = client.get(address).content.decode()
    assert str(record) not in page
    assert f"/records/yourmodel/{record.pk}/" not in page
    assert f"{run.record_type.name} {record.pk}" in page
    client.force_login(user("runs.view_run", "records.view_yourmodel", username="kim"))
    assert str(record) in client.get(address).content.decode()
