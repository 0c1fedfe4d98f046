"""The pages of an undo in a real Chromium: accessible and whole, by keyboard, on a desk and on a phone, by night."""

import re

import pytest
from django.contrib.auth.models import User

from backoffice.runs.models import Run
from backoffice.runs.operations import undo
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests import factories
from tests.browser import page as browsing
from tests.probe.models import Probe
from tests.runs.clicks import page as page_of
from tests.runs.factories import probes

pytestmark = [pytest.mark.browser, pytest.mark.once]
LOOKS = [
    (browsing.WIDE, False),
    pytest.param(browsing.WIDE, True, marks=pytest.mark.long),
    pytest.param(browsing.NARROW, False, marks=pytest.mark.long),
    pytest.param(browsing.NARROW, True, marks=pytest.mark.long),
]


@pytest.fixture
def boss(transactional_db) -> User:
    return factories.user(is_superuser=True, username="boss", password="a long one")


@pytest.fixture
def run(boss) -> Run:
    moved, gone, *_others = probes(5)
    run = work_off(start(Probe.objects.all(), "poke", by=boss))
    Probe.objects.filter(pk=moved.pk).update(result="by-hand-" + "x" * 12)
    gone.delete()
    return run


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_its_pages_are_accessible_and_hold(live_server, browser, boss, run, width: int, dark: bool):
    again = work_off(undo(run, boss, records=[run.items.order_by("-record_id").first().record_id]))
    left = work_off(undo(run, boss))
    refused = start(Probe.objects.all(), "say", by=boss, parameters={"word": "a"})
    one = f"{page_of(run, 'undo')}?record={run.items.first().record_id}"
    paths = (page_of(run, "undo"), one, page_of(refused, "undo"), page_of(run), page_of(again), page_of(left))
    with browsing.watched_page(browser, live_server.url, width, dark) as watched:
        page = watched.sign_in("boss", "a long one")
        found: list[str] = []
        for path in (*paths, page_of(run, "changes")):
            watched.open(path).wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            found += [f"{path} {problem}" for problem in browsing.accessibility_problems(page)]
        assert found == []
        assert watched.problems == []


def test_escape_goes_back_to_the_run_and_enter_undoes_it(live_server, browser, run):
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(page_of(run))
        page.get_by_text("Undo this run…").click()
        page.wait_for_url(f"**{page_of(run, 'undo')}")
        page.keyboard.press("Escape")
        page.wait_for_url(f"**{page_of(run)}")
        watched.open(page_of(run, "undo"))
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/change/"))
        again = Run.objects.get(undoes=run)
        assert page.url.endswith(page_of(again))
        assert f"Undo of run {run.pk}" in page.title()
        assert watched.problems == []
