"""The bell, the notices and the choice in a real Chromium, by keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from backoffice.notices.models import Notice, Preference
from tests.browser.page import WIDE, watched_page
from tests.desk import factories
from tests.factories import user
from tests.runs.factories import probes

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def tab_to(page: Page, selector: str) -> None:
    """Forward, as somebody without a mouse does."""
    for _press in range(60):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector} by Tab")


def test_by_keyboard_from_the_bell_to_the_run_and_to_what_one_wants(live_server, browser):
    boss = user(is_superuser=True, username="boss", password="a long one")
    probes(1)
    runs = [factories.run(requester=boss, succeeded=9, failed=1) for _number in range(2)]
    for run in runs:
        Notice.objects.create(user=boss, key=run.uid, kind=Notice.Kind.RUN_FINISHED, run=run, is_failure=True)
    with watched_page(browser, live_server.url, WIDE) as watched:
        page = watched.sign_in("boss", "a long one")
        bell = page.locator("#bell")
        expect(bell).to_have_attribute("aria-label", "Notices, unread: 2")
        tab_to(page, "#bell")
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/notices/")
        tab_to(page, ".bo-row__title")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/admin/runs/run/{runs[1].pk}/change/")
        expect(bell).to_have_attribute("aria-label", "Notices, unread: 1")
        watched.open("/admin/notices/choice/")
        tab_to(page, "#id_email_2")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Your choice is kept.")).to_be_visible()
        assert Preference.objects.get().email == "never"
        assert not watched.problems
