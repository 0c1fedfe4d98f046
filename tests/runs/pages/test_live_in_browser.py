"""A run is watched in a real Chromium: what moves moves together, and leaves alone what a person has in hand."""

import re

import pytest
from playwright.sync_api import expect

from backoffice.testing import work_off
from tests import factories
from tests.browser import page as browsing
from tests.runs.clicks import page as address
from tests.runs.factories import poke_all, probes
from tests.runs.pages.test_live import one_slice

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
WATCH = """
    window.seen = [];
    const say = () => window.seen.push([
        [...document.querySelectorAll("#run [data-part]")].reduce((sum, part) => sum + Number(part.textContent), 0),
        document.querySelectorAll("#items tbody .bo-badge--success").length,
        document.querySelectorAll("#items tbody .bo-badge--failure").length,
    ].join());
    const all = {subtree: true, childList: true, attributes: true};
    new MutationObserver(say).observe(document.getElementById("run"), all);
"""


@pytest.fixture
def boss(transactional_db):
    return factories.user(is_superuser=True, username="boss", password="a long one")


def test_bar_and_table_are_never_of_different_moments(live_server, browser, boss):
    probes(10, behaviour="fail")
    probes(30)
    run = poke_all()
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(address(run))
        page.evaluate(WATCH)
        one_slice(run)
        first = page.locator("#items tbody .bo-badge--failure").first
        expect(first).to_be_visible()
        page.locator("#items input[type=checkbox]").nth(1).check()
        page.locator("#items input[type=checkbox]").nth(2).focus()
        ticked = page.locator("#items input:checked").get_attribute("value")
        work_off(run)
        expect(page.locator("[data-field=percent]")).to_have_text("100 %")
        expect(page.locator("#run-live[data-finished]")).to_be_visible()
        assert page.locator("#items input:checked").get_attribute("value") == ticked
        assert page.evaluate("document.activeElement.type") == "checkbox"
        for moment in page.evaluate("window.seen"):
            done, succeeded, failed = map(int, moment.split(","))
            assert done == succeeded + failed, moment
        assert page.locator("#items tbody .bo-badge--success").count() == 30
        assert "Finished" in page.locator(".bo-facts").inner_text()
        assert page.title().startswith("✕ failed: Run")
        expect(page.locator("#run [role=status]")).to_have_text("failed: 40 of 40 records done: 30 done, 10 failed")
        assert watched.problems == []


def test_a_run_that_ends_while_the_page_asks_is_over_on_the_page_too(live_server, browser, boss):
    probes(3)
    run = poke_all()

    def end_and_go_on(route):
        work_off(run)
        route.continue_()

    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        page.route("**/live/*", end_and_go_on, times=1)
        watched.open(address(run))
        expect(page.locator("#run-live[data-finished]")).to_be_visible()
        expect(page).to_have_title(re.compile("^✓ succeeded: "))
