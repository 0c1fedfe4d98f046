"""Pages about failures and planned runs in a real Chromium: accessible and whole, wide and narrow, day and night."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from backoffice.desk.failures import failures
from backoffice.runs.models import Run
from backoffice.runs.operations import cancel
from backoffice.runs.start import RunRequest, start
from backoffice.schedules import later
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.browser import page as browsing
from tests.desk import factories as rows
from tests.probe.models import Probe
from tests.runs.clicks import page as address
from tests.runs.factories import poke_all, probes

pytestmark = [pytest.mark.browser, pytest.mark.once]
CHECK = "records.tasks.process_model_instance"
LOOKS = [(browsing.WIDE, False), (browsing.NARROW, True)]


@pytest.fixture
def boss(transactional_db):
    return factories.user(is_superuser=True, username="boss", password="a long one")


@pytest.fixture
def paths(boss, monkeypatch) -> list[str]:
    """Of runs half mended, of what is gone, of a record whose check crashed, of one edited, of what is planned."""
    bad, edited = factories.processed(), factories.processed(email="nobody")
    YourModel.objects.filter(pk=edited.pk).update(processed=False)
    with monkeypatch.context() as broken:
        broken.setattr(YourModel, "process", lambda self: {}["a-very-long-name-without-any-space-" * 8])
        crashed = work_off(start(YourModel.objects.filter(pk=bad.pk), CHECK))
    gone, mended, _standing = probes(3, behaviour="fail")
    half = work_off(poke_all())
    Probe.objects.filter(pk=mended.pk).update(behaviour="fine")
    work_off(start([mended.pk], "poke"))
    Probe.objects.filter(pk=gone.pk).delete()
    rows.failure("bad value 7")
    due = RunRequest(requester=boss, due_at=timezone.now() + timedelta(hours=1))
    planned = later.plan(YourModel.objects.all(), CHECK, due)
    groups = [reverse("admin:desk_failure_group", args=[group.fingerprint]) for group in failures.groups(boss).groups]
    records = [reverse("admin:records_yourmodel_change", args=[record.pk]) for record in (bad, edited)]
    runs = [address(run) for run in (half, crashed, planned)]
    return [
        "/admin/",
        "/admin/records/yourmodel/",
        "/admin/runs/run/",
        "/admin/desk/failures/",
        *groups,
        *records,
        *runs,
    ]


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_these_pages_are_accessible_and_hold(live_server, browser, paths, width: int, dark: bool):
    pictures = os.environ.get("PICTURES")
    with browsing.watched_page(browser, live_server.url, width, dark) as watched:
        page = watched.sign_in("boss", "a long one")
        found: list[str] = []
        for number, path in enumerate(paths):
            watched.open(path).wait_for_load_state("load")
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{path} is too wide")
            found += [f"{path} {problem}" for problem in browsing.accessibility_problems(page)]
            if pictures:
                page.screenshot(path=Path(pictures) / f"{width}-{number}.png", full_page=True)
        assert found == []
        assert watched.problems == []


def test_a_planned_run_called_off_leaves_the_desk_by_itself(live_server, browser, boss, paths):
    (planned,) = Run.objects.planned()
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        Run.objects.filter(pk=planned.pk).update(due_at=timezone.now() + timedelta(seconds=8))
        watched.open("/admin/")
        expect(page.locator(f"[data-planned='{planned.pk}']")).to_be_visible()
        cancel(planned, boss)
        expect(page.locator(f"[data-planned='{planned.pk}']")).to_have_count(0, timeout=20_000)
        expect(page.locator("[data-part=planned]")).to_be_hidden()
        assert watched.problems == []
