"""Dates that move and relations in a schedule's filter: read at each firing, told in words, refused in a sentence."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from backoffice.runs.models import Run
from backoffice.schedules import scheduled
from backoffice.schedules.form import dates, record_list
from backoffice.schedules.models import Firing
from backoffice.schedules.rules import relative, selection
from backoffice.schedules.rules.chosen import chosen_in_words
from backoffice.schedules.rules.verify import BadSchedule, verify
from tests.factories import user
from tests.probe.kinds import Kinds
from tests.schedules import factories
from tests.schedules.clock import Clock
from tests.schedules.factories import SCHEDULER
from tests.schedules.tasks import START_RUN

pytestmark = pytest.mark.django_db
FILL = "tests.probe.tasks.fill_kinds"
LIST = "admin:probe_kinds_changelist"
TODAY = date(2026, 5, 15)  # a Friday
NOON = datetime(2026, 5, 15, 12, tzinfo=UTC)
PEOPLE = ("probe.view_kinds", "probe.change_kinds", "probe.delete_kinds")
DAYS = [-400, -31, -8, -7, -1, 0, 1, 2, 31]


def on_days() -> None:
    """One record for each day around that Friday, named by how far it is; at noon of it in UTC."""
    Kinds.objects.bulk_create(
        Kinds(number=n, day=TODAY + timedelta(days=n), when=NOON + timedelta(days=n)) for n in DAYS
    )


def chosen(moment: datetime = NOON, **kwargs: Any) -> list[int]:
    found = selection.records(Kinds, kwargs, None, moment)
    return sorted(found.values_list("number", flat=True))


def row(zone: str = "UTC", **kwargs: Any) -> PeriodicTask:
    timing = factories.crontab("0 2 * * *", zone)
    return factories.row("Mine", crontab=timing, task=START_RUN, kwargs=json.dumps({"task": FILL, **kwargs}))


def fired(schedule: PeriodicTask, due: datetime) -> Run:
    firing = Firing.objects.create(schedule=schedule, schedule_name=schedule.name, due_at=due)
    kwargs = json.loads(schedule.kwargs)
    scheduled.start_run(kwargs.pop("task"), kwargs, schedule_name=schedule.name, firing_id=firing.pk)
    return Run.objects.latest("pk")


def numbers(run: Run) -> list[int]:
    ids = run.items.values_list("record_id", flat=True)
    return sorted(Kinds.objects.filter(pk__in=list(ids)).values_list("number", flat=True))


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("today", "2026-05-15"), ("today+1", "2026-05-16"), ("today 1", "2026-05-16"), ("today-7", "2026-05-08"),
        ("week", "2026-05-11"), ("week+1", "2026-05-18"), ("month", "2026-05-01"), ("month-5", "2025-12-01"),
        ("month+8", "2027-01-01"), ("year", "2026-01-01"), ("year-1", "2025-01-01"),
    ],
)  # fmt: skip
def test_each_word_means_a_day(word: str, day: str):
    assert relative.is_word(word)
    assert relative.day_of(word, TODAY).isoformat() == day


CHOICES: list[tuple[str, str, list[int]]] = [
    ("day__lt=today", "day before today", [-400, -31, -8, -7, -1]),
    ("day=today", "day on today", [0]),
    ("day__gte=today-7&day__lt=today+1", "day: past 7 days", [-7, -1, 0]),
    ("when__gte=today-7&when__lt=today+1", "when: past 7 days", [-7, -1, 0]),
    ("when__gte=today&when__lt=today+1", "when: today", [0]),
    ("day__gt=today", "day after today", [1, 2, 31]),
    ("day__lte=today+2&day__gt=today", "day up to 2 days from today, day after today", [1, 2]),
    ("when__gte=month&when__lt=month+1", "when: this month", [-8, -7, -1, 0, 1, 2]),
    ("day__gte=year&day__lt=year+1", "day: this year", [-31, -8, -7, -1, 0, 1, 2, 31]),
    ("day__gte=today-1&day__lt=week%2B1", "day from yesterday, day before a week after this week", [-1, 0, 1, 2]),
    ("day__lt=month-1&day__gte=today-60", "day before a month before this month, day from 60 days ago", []),
    ("when__lt=2026-05-08", "when before 2026-05-08", [-400, -31, -8]),
]


@pytest.mark.parametrize(("query", "said", "found"), CHOICES, ids=[each[0] for each in CHOICES])
def test_a_moving_date_chooses_by_the_days_of_its_moment_and_is_told_in_words(query: str, said: str, found: list[int]):
    on_days()
    lookups = QueryDict(query).dict()
    assert chosen(selection=query) == found
    assert chosen(filter=lookups) == found
    later = NOON + timedelta(days=1)
    if "2026" not in query and not query.startswith(
        ("day__gte=year", "when__gte=month", "day__lt=month", "day__gte=today-1&day__lt=week")
    ):
        assert chosen(later, selection=query) != found
    assert chosen_in_words(query, Kinds) == said
    for kwargs in ({"selection": query}, {"filter": lookups}):
        verify(PeriodicTask(task=START_RUN, crontab=factories.crontab(), kwargs=json.dumps({"task": FILL, **kwargs})))


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"selection": "day__lt=tomorow"}, "“tomorow” is no day for “day”"),
        ({"filter": {"when__gte": "yesterday"}}, "“yesterday” is no day for “when”"),
        ({"selection": "when=today"}, "“when” holds times"),
        ({"filter": {"when__lte": "today"}}, "“when” holds times"),
        ({"selection": "day__gte=year%2B9999"}, "outside of the calendar"),
        ({"selection": "day__in=today"}, "does not"),
        ({"filter": {"owner__username": "ada"}}, "A filter cannot use “owner__username”"),
        ({"selection": "owner__username=ada"}, "owner__username"),
        ({"filter": {"owner__gt": 3}}, "It uses the record's own fields with: exact, in, isnull."),
        ({"filter": {"owner": "x"}}, "does not fit"),
        ({"selection": "owner__id__exact=x"}, "does not"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(kwargs: dict[str, Any], told: str):
    bad = PeriodicTask(task=START_RUN, crontab=factories.crontab(), kwargs=json.dumps({"task": FILL, **kwargs}))
    with pytest.raises(BadSchedule, match=".") as refused:
        verify(bad)
    assert told in str(refused.value)


@pytest.mark.parametrize("query", ["owner={pk}", "owner__exact={pk}", "owner__id__exact={pk}", "owner__id__in={pk}"])
def test_a_relation_chooses_by_which_row_it_is_and_is_told_by_name(query: str):
    ada = user(username="ada")
    Kinds.objects.create(number=1, owner=ada)
    Kinds.objects.create(number=2, owner=user())
    Kinds.objects.create(number=3)
    query = query.format(pk=ada.pk)
    assert chosen(selection=query) == [1]
    assert chosen(filter=dict(parse_qsl(query)) if "__in" not in query else {"owner__in": [ada.pk]}) == [1]
    assert chosen_in_words(query, Kinds) == "owner: ada"
    assert chosen(selection="owner__isnull=True") == chosen(filter={"owner__isnull": True}) == [3]
    User.objects.filter(pk=ada.pk).delete()
    assert chosen_in_words(query, Kinds) == f"owner: {ada.pk} (gone)"
    assert chosen(selection=query) == []


def test_each_firing_reads_the_days_anew_as_of_its_due_time(clock: Clock):
    on_days()
    schedule = row(selection="day__lt=today")
    clock.set("2026-05-20 00:00:00")  # both were missed
    first = fired(schedule, NOON)
    second = fired(schedule, NOON + timedelta(days=1))
    assert numbers(first) == [-400, -31, -8, -7, -1]
    assert first.selection == "day before today (2026-05-15)"
    assert second.selection == "day before today (2026-05-16)"
    assert numbers(second) == [0]  # the others are at work
    assert json.loads(PeriodicTask.objects.get().kwargs)["selection"] == "day__lt=today"


@pytest.mark.parametrize(
    ("zone", "days"), [("UTC", [0]), ("Pacific/Auckland", [1]), ("America/Los_Angeles", [-1])], ids=str
)
def test_days_are_those_of_the_schedule_s_own_time_zone(zone: str, days: list[int]):
    on_days()
    moment = (
        datetime(2026, 5, 15, 6, tzinfo=UTC) if zone.startswith("America") else datetime(2026, 5, 15, 18, tzinfo=UTC)
    )
    assert numbers(fired(row(zone, filter={"day": "today"}), moment)) == days


def test_times_begin_with_the_day_of_the_time_zone():
    Kinds.objects.create(number=1, when=datetime(2026, 5, 14, 22, 30, tzinfo=UTC))  # half past midnight in Berlin
    Kinds.objects.create(number=2, when=datetime(2026, 5, 15, 22, 30, tzinfo=UTC))
    query = "when__gte=today&when__lt=today+1"
    assert numbers(fired(row("Europe/Berlin", selection=query), NOON)) == [1]


# --- from the list, and back


@pytest.fixture
def sam(client: Client) -> Client:
    client.force_login(user(*SCHEDULER, *PEOPLE, username="sam"))
    return client


def links(client: Client, **query: str) -> dict[str, str]:
    """Of the list's filters: what they are called, and their addresses."""
    changelist = client.get(reverse(LIST), query).context_data["cl"]
    return {
        f"{spec.title}: {choice['display']}": choice["query_string"]
        for spec in changelist.filter_specs
        for choice in spec.choices(changelist)
    }


def scheduled_from(client: Client, address: str) -> str:
    """The selection with which the form opens."""
    buttons = client.get(f"{reverse(LIST)}{address}").context_data["actions_list"]
    path = next(each["path"] for each in buttons if each["title"] == "Schedule this filter")
    return parse_qs(urlsplit(path).query)["selection"][0]


@pytest.mark.parametrize(
    ("name", "moving"),
    [
        ("day: Today", "day__gte=today&day__lt=today+1"),
        ("day: Past 7 days", "day__gte=today-7&day__lt=today+1"),
        ("day: This month", "day__gte=month&day__lt=month+1"),
        ("day: This year", "day__gte=year&day__lt=year+1"),
        ("when: Today", "when__gte=today&when__lt=today+1"),
        ("when: Past 7 days", "when__gte=today-7&when__lt=today+1"),
        ("day: No date", "day__isnull=True"),
    ],
)
def test_what_a_list_s_filter_calls_by_name_stays_relative_when_it_is_scheduled(name: str, moving: str, sam: Client):
    assert QueryDict(scheduled_from(sam, links(sam)[name])) == QueryDict(moving)
    filled = {"name": "Mine", "work": f"records:{FILL}", "selection": moving, "enabled": "on", "when": "crontab"}
    options = {"crontab_text": "0 2 * * *", "zone": "Europe/Berlin", "missed": "once", "overlap": "skip"}
    answer = sam.post(reverse("admin:django_celery_beat_periodictask_add"), filled | options)
    assert answer.status_code == 302, answer.context["errors"]
    kept = PeriodicTask.objects.get()
    assert QueryDict(json.loads(kept.kwargs)["selection"]) == QueryDict(moving)
    assert sam.get(reverse("admin:django_celery_beat_periodictask_change", args=[kept.pk])).status_code == 200


def test_a_related_row_chosen_in_the_list_s_filter_is_scheduled(sam: Client):
    mine = Kinds.objects.create(number=1, owner=User.objects.get(username="sam"))
    Kinds.objects.create(number=2, owner=user(username="eve"))
    query = scheduled_from(sam, links(sam)["owner: sam"])
    assert numbers(fired(row(selection=query), NOON)) == [1]
    assert chosen_in_words(query, Kinds) == "owner: sam"
    assert chosen(selection=query) == [mine.number]


@pytest.mark.parametrize("choice", dates.span_choices(), ids=lambda choice: choice["label"])
@pytest.mark.parametrize("name", ["day", "when"])
def test_what_the_form_offers_of_a_date_can_be_fired_and_is_told_as_it_was_offered(name: str, choice: dict[str, str]):
    on_days()
    asked = {f"{name}__gte": choice["since"], f"{name}__lt": choice["until"]}
    query = urlencode({key: value for key, value in asked.items() if value})
    verify(row(selection=query))
    assert chosen(selection=query)
    told = {"after today": f"{name} from tomorrow", "before today": f"{name} before today"}
    assert chosen_in_words(query, Kinds) == told.get(choice["label"], f"{name}: {choice['label']}")


def test_the_form_offers_the_dates_that_are_shown_of_the_records_that_may_be_processed(sam: Client):
    offered = dates.date_choices(User.objects.get(username="sam"))
    assert [(each["work"], each["name"]) for each in offered] == [
        (f"records:{FILL}", "day"),
        (f"records:{FILL}", "when"),
    ]
    assert dates.date_choices(user(*SCHEDULER)) == []


def test_days_that_somebody_typed_stay_those_days(sam: Client):
    typed = "day__gte=2020-01-01&day__lt=2020-01-02"
    assert scheduled_from(sam, f"?{typed}") == typed


def test_the_link_back_to_the_list_shows_what_is_chosen_now(sam: Client):
    today = timezone.localdate()
    Kinds.objects.create(number=1, day=today - timedelta(days=1))
    Kinds.objects.create(number=2, day=today)
    url = record_list.url_of(row(filter={"day__lt": "today"}), User.objects.get(username="sam"))
    assert [each.number for each in sam.get(url).context_data["cl"].result_list] == [1]


def test_the_preview_says_what_it_means_today(sam: Client):
    Kinds.objects.create(number=1, day=date(2000, 1, 1))
    filled = {"work": f"records:{FILL}", "selection": "day__lt=today", "when": "crontab", "crontab_text": "0 2 * * *"}
    answer = sam.post(reverse("admin:schedules_preview"), {**filled, "zone": "UTC", "name": "x"}).json()
    assert answer["matching"] == f"1 record matches now: day before today ({timezone.localdate()})."
