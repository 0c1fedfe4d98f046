"""From a run to the records that came to something, by keyboard, in both themes."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser import page as browsing
from tests.runs.clicks import page as address
from tests.runs.pages.run.test_in_words import check

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_a_part_of_the_bar_leads_to_its_records_by_one_key(live_server, browser, width, dark):
    factories.user(is_superuser=True, username="boss", password="a long one")
    run = check()
    with browsing.watched_page(browser, live_server.url, width=width, dark=dark) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open("/admin/runs/run/")
        expect(page.get_by_text("Process: 4 records")).to_be_visible()
        assert browsing.accessibility_problems(page) == []
        watched.open(address(run))
        part = page.locator(".run-parts a", has_text="1 correctable")
        part.focus()
        part.press("Enter")
        rows = page.locator("#items tbody tr")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("Country: not the ISO code")
        expect(page.locator("#items [aria-current]")).to_have_text("correctable (1)")
        assert browsing.accessibility_problems(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert watched.problems == []
