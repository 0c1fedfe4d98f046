"""No page shows a link that leads whoever is shown it to a refusal: every link is walked, as every role."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from backoffice.results import activity
from backoffice.runs.models import Run
from backoffice.runs.start import RunRequest, start, start_requested
from backoffice.schedules import later
from backoffice.schedules.models import Firing
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.desk import factories as rows
from tests.runs.factories import poke_all, probes
from tests.schedules.factories import nightly
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db
CHECK = "records.tasks.process_model_instance"
LINK = re.compile(r'<(?:a|option|link rel="next")\b[^>]*?\bhref="([^"]*)"')
ENDS = ("/logout/", "/jsi18n/")  # ends the walk, or is no page
MOST = 400  # pages of one role: more is a walk in a circle

ROLES: dict[str, tuple[str, ...]] = {
    "nobody in particular": (),
    "clerk": ("second.view_invoice", "second.change_invoice"),
    "who sees firings": ("schedules.view_firing",),
    "who fires schedules": ("django_celery_beat.change_periodictask", "records.process_yourmodel"),
    "who sees results": ("django_celery_results.view_taskresult",),
    "who sees all runs": ("runs.view_run",),
    "who reads the log": ("results.view_activity",),
    "who sees people": ("auth.view_user", "auth.view_group", "desk.view_retentionpolicy"),
}


def world(own: User) -> None:
    """A day's work of others, and of this person: each kind of run, of schedule, of failure, of what is gone."""
    records = [factories.record(name="Müller GmbH", tax_id="DE1"), factories.record(name="Müller GmbH", tax_id="DE1")]
    records.append(factories.record(country="Deutschland"))
    every = YourModel.objects.all()
    for requester in (own, factories.user(username="somebody", is_superuser=True)):
        done = work_off(start_requested(every, CHECK, RunRequest(source=Run.Source.COMMAND)))
        Run.objects.filter(pk=done.pk).update(requester=requester, requester_name=requester.username)
    schedule = nightly()
    request = RunRequest(source=Run.Source.SCHEDULE, schedule=schedule, schedule_name=schedule.name)
    fired = work_off(start_requested(every, CHECK, request))
    Firing.objects.create(schedule=schedule, schedule_name=schedule.name, due_at=timezone.now(), run=fired)
    due = RunRequest(requester="somebody", due_at=timezone.now() + timedelta(hours=1))
    later.plan(every, CHECK, due)
    probes(2, behaviour="fail")
    failed = work_off(poke_all(requester="somebody"))
    Run.objects.filter(pk=failed.pk).update(requester=own)
    work_off(start_requested(every, CHECK, RunRequest(source=Run.Source.RETRY, retry_of=fired)))
    start_requested(every, CHECK, RunRequest(source=Run.Source.RETRY, retry_of=done, requester="somebody"))
    Invoice.objects.create(number="I-1", net=1)
    work_off(start(Invoice.objects.all(), "tax_invoice"))
    rows.failure("bad value 7")
    rows.result()
    gone = factories.processed()
    activity.log(own, "record.deleted", gone, values={})
    gone.delete()


def links(html: str, base: str) -> Iterator[str]:
    for found in LINK.findall(html):
        address = urlsplit(urljoin(base, unescape(found)))
        if not address.netloc and address.path.startswith("/admin/") and not address.path.endswith(ENDS):
            yield address._replace(fragment="").geturl()


def kind_of(url: str) -> tuple[str, str]:
    """A list with another value of a filter is the same page, and so is one with more filters than one."""
    parts = urlsplit(url)
    names = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)} - {"_changelist_filters"}
    return parts.path, min(names, default="")


def walk(client: Client) -> tuple[list[str], int]:
    """What was refused, as "page -> link: answer", and how many pages were looked at."""
    waiting, seen, refused = [("", "/admin/")], {kind_of("/admin/")}, []
    walked = 0
    while waiting:
        page, url = waiting.pop()
        walked += 1
        assert walked < MOST, waiting[:10]
        answer = client.get(url)
        if answer.status_code == 302 and answer["Location"] != "/admin/":
            target = urljoin(url, answer["Location"])
            waiting += [(f"{page} -> {url}", target)] if kind_of(target) not in seen else []
            seen.add(kind_of(target))
        elif answer.status_code != 200:
            refused.append(f"{page} -> {url}: {answer.status_code}")
        elif not answer.streaming and "html" in answer["Content-Type"]:
            for each in links(answer.text, url):
                if kind_of(each) not in seen:
                    seen.add(kind_of(each))
                    waiting.append((url, each))
    return refused, walked


def person(role: str) -> User:
    if role in ("Operator", "Scheduler", "Auditor"):
        return factories.member(role)
    return factories.user(*ROLES.get(role, ()), is_superuser=role == "superuser")


FEW = [pytest.param(role, marks=pytest.mark.long) for role in ("superuser", *ROLES)]


@pytest.mark.parametrize("role", ["Operator", "Scheduler", "Auditor", *FEW])
def test_every_link_leads_whoever_is_shown_it_to_a_page(client, role):
    who = person(role)
    world(who)
    client.force_login(who)
    refused, walked = walk(client)
    assert not refused, "\n".join(refused)
    assert walked > 1
