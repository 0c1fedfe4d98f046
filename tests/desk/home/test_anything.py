"""Ctrl-K: records, runs, schedules and pages, and of each what this person may see."""

import pytest
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from backoffice.desk.home import anything
from records.models import YourModel
from tests.desk import factories
from tests.factories import member, record, user
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything() -> dict[str, object]:
    every, _made = IntervalSchedule.objects.get_or_create(every=9, period="days")
    schedule = PeriodicTask.objects.create(name="Every night", task="records.tasks.add", interval=every)
    made = record(reference="BP-00045", name="Müller Bau", phone="+49 30 1234567")
    invoice = Invoice.objects.create(number="BP-00045", net=1)
    return {"record": made, "invoice": invoice, "schedule": schedule, "run": factories.run(requester=user())}


def links(client: Client, term: str) -> list[str]:
    answer = client.get("/admin/search/", {"s": term})
    return [each.link for each in answer.context["results"]] if answer.context else []


def page(kind: str, row: object) -> str:
    paths = {"record": "records/yourmodel", "schedule": "django_celery_beat/periodictask", "run": "runs/run"}
    return f"/admin/{paths[kind]}/{row.pk}/change/"


@pytest.mark.parametrize(
    ("term", "kind"),
    [("bp-00045", "record"), ("muller", "record"), ("030 1234567", "record"), ("NIGHT", "schedule")],
)
def test_it_is_found_by_what_people_call_it(client: Client, everything, term: str, kind: str):
    client.force_login(user(is_superuser=True))
    assert page(kind, everything[kind]) in links(client, term)


def test_a_run_is_found_by_its_number_and_a_page_by_its_name(client: Client, everything):
    client.force_login(user(is_superuser=True))
    run = everything["run"]
    for term in (str(run.pk), f"run {run.pk}", f"#{run.pk}"):
        assert page("run", run) in links(client, term)
    assert links(client, "failures") == ["/admin/desk/failures/"]
    assert "/admin/desk/agreement/" in links(client, "missing")


def test_a_run_that_is_named_comes_first_and_a_record_says_what_it_was_found_by(client: Client, everything):
    client.force_login(user(is_superuser=True))
    run, made = everything["run"], everything["record"]
    YourModel.objects.filter(pk=made.pk).update(name=f"Run {run.pk} Ltd")
    assert links(client, f"run {run.pk}")[0] == page("run", run)
    told = {"4567": "Record · Phone: +49 30 1234567", "bp-00": "Record"}
    for term, description in told.items():
        results = client.get("/admin/search/", {"s": term}).context["results"]
        (found,) = [each for each in results if each.link == page("record", made)]
        assert found.description == description
    assert anything.why(YourModel(pk=7, reference="X", name="Y"), "7", ["phone"]) == "number 7"


def test_whoever_may_not_see_it_does_not_find_it(client: Client, everything):
    client.force_login(user())
    for term in ("bp-00045", "night", "failures", str(everything["run"].pk)):
        assert links(client, term) == []
    client.force_login(member("Operator"))
    assert page("record", everything["record"]) in links(client, "bp-00045")
    assert page("run", everything["run"]) not in links(client, f"run {everything['run'].pk}")


def test_what_has_the_very_name_comes_first_and_of_many_a_few_are_shown(client: Client):
    client.force_login(member("Operator"))
    YourModel.objects.bulk_create([YourModel(reference=f"X-1{n}", name="Same") for n in range(30)])
    wanted = record(reference="X-1", name="Same")
    found = links(client, "x-1")
    assert found[0] == page("record", wanted)
    assert len(found) == anything.EACH


def test_nothing_typed_and_odd_letters_are_no_error(client: Client):
    client.force_login(user(is_superuser=True))
    for term in ("", " ", "\x00", '"', "%", "'" * 300, "9" * 30, "ⅷ"):
        assert client.get("/admin/search/", {"s": term}).status_code == 200
    client.logout()
    assert client.get("/admin/search/", {"s": "x"}).status_code == 302


def test_it_asks_a_bounded_number_of_questions(client: Client, everything, django_assert_max_num_queries):
    client.force_login(member("Operator"))
    links(client, "same")
    with django_assert_max_num_queries(20):
        links(client, "same")
