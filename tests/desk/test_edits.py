"""Two people edit the same thing: the second one is told, on every page on which somebody may change a row."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from backoffice.desk.models import RetentionPolicy
from records.models import YourModel
from tests.desk.parts.listed import LISTS, Page, url_of
from tests.factories import record, user
from tests.freight.factories import shipment
from tests.freight.models import Shipment
from tests.probe.models import Kinds, Probe
from tests.second.models import Invoice


def in_days(number: int) -> Any:
    return (timezone.now() + timedelta(days=number)).replace(microsecond=0)


def schedule() -> PeriodicTask:
    every, _made = IntervalSchedule.objects.get_or_create(every=10, period="minutes")
    return PeriodicTask.objects.create(name="Often", task="records.tasks.long_running_task", interval=every)


def retention() -> RetentionPolicy:
    return RetentionPolicy.objects.get_or_create(kind="results")[0]


def kinds() -> Kinds:
    row = Kinds(number=1, owner=user())
    row.process()
    row.save()
    return row


# How to make one, what somebody else changes meanwhile, and what is typed into the open page.
EDITED: dict[type, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    User: (lambda: user(username="leaver"), {"is_active": False}, {"last_name": "Typed"}),
    Group: (lambda: Group.objects.create(name="Old"), {"name": "New"}, {"name": "Typed"}),
    RetentionPolicy: (retention, {"days": 77}, {"days": "99"}),
    YourModel: (record, {"town": "Bonn"}, {"name": "Typed"}),
    Invoice: (lambda: Invoice.objects.create(number="I1", net=1), {"net": 2}, {"number": "Typed"}),
    Shipment: (shipment, {"weight": 2}, {"number": "Typed"}),
    Probe: (lambda: Probe.objects.create(text="one", result="one"), {"text": "else"}, {"behaviour": "Typed"}),
    Kinds: (kinds, {"number": 2}, {"renamed": "Typed"}),
    PeriodicTask: (schedule, {"enabled": False}, {"description": "Typed"}),
    IntervalSchedule: (
        lambda: IntervalSchedule.objects.create(every=7, period="hours"), {"every": 8}, {"period": "days"},
    ),
    CrontabSchedule: (lambda: CrontabSchedule.objects.create(minute="7"), {"minute": "8"}, {"hour": "3"}),
    SolarSchedule: (
        lambda: SolarSchedule.objects.create(event="sunset", latitude=52, longitude=13), {"latitude": 50},
        {"longitude": "14.000000"},
    ),
    ClockedSchedule: (
        lambda: ClockedSchedule.objects.create(clocked_time=in_days(1)), {"clocked_time": in_days(2)},
        {"clocked_time": f"{in_days(3):%Y-%m-%dT%H:%M}"},
    ),
}  # fmt: skip
each_edited = pytest.mark.parametrize("model", EDITED, ids=lambda model: model.__name__)
# Without ephem no form of a solar event is taken, and what is refused for that cannot be saved again.
each_saved = pytest.mark.parametrize(
    "model", [model for model in EDITED if model is not SolarSchedule], ids=lambda model: model.__name__
)
STALE = "Somebody changed this after you opened it"


def open_page(client: Client, row: Any) -> tuple[str, dict[str, Any]]:
    """The address of a row's page, and what a browser sends when nothing is touched."""
    url = url_of(admin.site._registry[type(row)], f"{row.pk}/change/")
    return url, fields_of(client.get(url))


def fields_of(answer: Any) -> dict[str, Any]:
    forms = [form for form in Page(answer.text).forms if form.id.endswith("_form")]
    sent: dict[str, Any] = {}
    for name, value in forms[0].fields:
        sent.setdefault(name, []).append(value)
    return sent


def stored(row: Any) -> dict[str, Any]:
    return type(row).objects.filter(pk=row.pk).values().get()


def sign_in(client: Client) -> User:
    boss = user(is_superuser=True, username="boss")
    client.force_login(boss)
    return boss


@pytest.mark.django_db
def test_every_admin_that_lets_somebody_change_a_row_is_tried_here(rf):
    request = rf.get("/")
    request.user = user(is_superuser=True)
    assert {each.model for each in LISTS if each.has_change_permission(request)} == set(EDITED)


@pytest.mark.django_db
@each_edited
def test_what_was_saved_meanwhile_is_told_and_not_written_over(client: Client, model: type):
    make, meanwhile, typed = EDITED[model]
    sign_in(client)
    row = make()
    url, sent = open_page(client, row)
    assert sent["seen"]
    model.objects.filter(pk=row.pk).update(**meanwhile)
    before = stored(row)
    answer = client.post(url, sent | typed)
    assert answer.status_code == 200
    assert STALE in answer.text
    assert "Stored meanwhile" in answer.text
    assert stored(row) == before
    form = answer.context["adminform"].form
    assert all(str(form[name].value()) == value for name, value in typed.items())  # what was typed is still there


# Of each kind of input: what somebody else saves, and what is typed.
BOTH: dict[type, tuple[str, Any, str]] = {
    YourModel: ("town", "Bonn", "Ulm"),
    Invoice: ("net", 2, "3"),
    RetentionPolicy: ("days", 77, "99"),
    Group: ("name", "New", "Typed"),
    ClockedSchedule: ("clocked_time", in_days(2), f"{in_days(3):%Y-%m-%dT%H:%M}"),
    CrontabSchedule: ("minute", "8", "9"),
    Kinds: ("flag", True, "false"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("taken", ["mine", "theirs"])
@pytest.mark.parametrize("model", BOTH, ids=lambda model: model.__name__)
def test_of_a_field_that_both_have_changed_it_is_chosen_which_one_stays(client: Client, model: type, taken: str):
    field, meanwhile, typed = BOTH[model]
    sign_in(client)
    row = EDITED[model][0]()
    url, sent = open_page(client, row)
    model.objects.filter(pk=row.pk).update(**{field: meanwhile})
    theirs = stored(row)[field]
    answer = client.post(url, sent | {field: typed})
    assert f'name="take-{field}" value="theirs"' in answer.text
    assert list(answer.context["adminform"].form.choices) == [field]
    assert client.post(url, fields_of(answer) | {f"take-{field}": taken}).status_code == 302
    assert (stored(row)[field] == theirs) == (taken == "theirs")


@pytest.mark.django_db
def test_what_came_once_more_is_told_before_a_choice_is_saved(client: Client):
    sign_in(client)
    made = record(town="Köln")
    url, sent = open_page(client, made)
    YourModel.objects.update(town="Bonn")
    answer = client.post(url, sent | {"town": "Ulm"})
    YourModel.objects.update(town="Trier")
    assert STALE in client.post(url, fields_of(answer) | {"take-town": "theirs"}).text
    assert stored(made)["town"] == "Trier"


@pytest.mark.django_db
@each_saved
def test_saving_again_after_reading_what_came_is_taken(client: Client, model: type):
    make, meanwhile, typed = EDITED[model]
    sign_in(client)
    row = make()
    url, sent = open_page(client, row)
    model.objects.filter(pk=row.pk).update(**meanwhile)
    before = stored(row)
    assert client.post(url, fields_of(client.post(url, sent | typed))).status_code == 302
    # Both are there: what was typed, and what came meanwhile in fields that were left alone.
    after = stored(row)
    assert {name: after[name] for name in meanwhile if name not in typed} == {
        name: before[name] for name in meanwhile if name not in typed
    }
    assert {str(after.get(name, typed[name])) for name in typed} <= {*typed.values(), str(after.get("clocked_time"))}


@pytest.mark.django_db
@each_saved
def test_saving_what_nobody_else_touched_is_taken(client: Client, model: type):
    make, _meanwhile, typed = EDITED[model]
    sign_in(client)
    row = make()
    url, sent = open_page(client, row)
    answer = client.post(url, sent | typed)
    assert answer.status_code == 302, answer.context and answer.context["errors"]


@pytest.mark.django_db
def test_powers_granted_meanwhile_are_not_taken_back(client: Client):
    sign_in(client)
    anna, group = user(username="anna"), Group.objects.create(name="Operators")
    url, sent = open_page(client, anna)
    anna.groups.add(group)
    answer = client.post(url, sent)
    assert "Stored meanwhile: Operators" in answer.text
    assert client.post(url, fields_of(answer)).status_code == 302
    assert anna.groups.get() == group


@pytest.mark.django_db
def test_a_login_meanwhile_is_no_edit(client: Client):
    sign_in(client)
    anna = user(username="anna")
    url, sent = open_page(client, anna)
    Client().force_login(anna)
    at = User.objects.get(pk=anna.pk).last_login
    assert client.post(url, sent | {"first_name": "Anna"}).status_code == 302
    assert User.objects.get(pk=anna.pk).last_login == at


@pytest.mark.django_db
def test_how_a_schedule_keeps_what_it_missed_is_part_of_its_page(client: Client):
    sign_in(client)
    row = schedule()
    url, sent = open_page(client, row)
    other = sent | {"missed": "skip" if sent["missed"] == ["once"] else "once"}
    assert client.post(url, other).status_code == 302
    assert STALE in client.post(url, sent).text


# --- two at the same moment


@pytest.mark.django_db(transaction=True)
@each_saved
def test_of_two_who_save_at_the_same_moment_one_is_told(model: type):
    make, _meanwhile, typed = EDITED[model]
    first = Client()
    boss = sign_in(first)
    row = make()
    url, sent = open_page(first, row)
    clients = [Client() for _number in range(3)]
    for client in clients:
        client.force_login(boss)
    ((name, value),) = typed.items()
    values = [value, *other_values(model)]
    barrier, answers = threading.Barrier(len(clients)), {}

    def save(number: int) -> None:
        try:
            barrier.wait(20)
            answers[number] = clients[number].post(url, sent | {name: values[number]}).status_code
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=[number]) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [200, 200, 302]


def other_values(model: type) -> list[str]:
    return {
        RetentionPolicy: ["98", "97"],
        IntervalSchedule: ["minutes", "seconds"],
        CrontabSchedule: ["4", "5"],
        SolarSchedule: ["15.000000", "16.000000"],
        ClockedSchedule: [f"{in_days(day):%Y-%m-%dT%H:%M}" for day in (4, 5)],
    }.get(model, ["Second", "Third"])
