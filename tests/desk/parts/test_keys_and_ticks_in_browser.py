"""A list by keyboard alone, and ticks that stay from page to page."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from backoffice.runs.models import Run
from records.admin import YourModelAdmin
from records.models import YourModel
from tests.browser import page as browsing
from tests.factories import record, user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
RECORDS = "/admin/records/yourmodel/"


@pytest.fixture
def boss() -> User:
    return user(is_superuser=True, username="boss", password="a long one")


@pytest.fixture
def thirty(monkeypatch: pytest.MonkeyPatch) -> list[YourModel]:
    monkeypatch.setattr(YourModelAdmin, "list_per_page", 10)
    return [record(reference=f"BP-{number:05}", verdict="review") for number in range(30)]


def test_from_a_box_to_the_action_in_three_keys(live_server, browser, boss, thirty):
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"{RECORDS}?verdict=review")
        page.locator("#result_list input.action-select").nth(1).focus()
        page.keyboard.press("Space")
        for key in ("a", "p", "Enter"):
            page.keyboard.press(key)
        page.wait_for_url("**/runs/run/**")
        assert list(Run.objects.get().items.values_list("record_id", flat=True)) == [thirty[1].pk]
        assert watched.problems == []


def test_a_record_is_opened_by_its_name_alone(live_server, browser, boss, thirty):
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        page.keyboard.press("Control+k")
        page.keyboard.type("bp-00007")
        expect(page.locator("#command-results li.active")).to_contain_text("BP-00007")
        assert browsing.accessibility_problems(page) == []
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{RECORDS}{thirty[7].pk}/change/")
        assert watched.problems == []


def ticked(page: Page) -> int:
    return page.locator("#result_list input.action-select:checked").count()


def test_ticks_stay_from_page_to_page_until_they_are_sent(live_server, browser, boss, thirty):
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"{RECORDS}?verdict=review")
        page.locator("#result_list input.action-select").nth(0).check()
        page.locator("#result_list input.action-select").nth(3).check()
        watched.open(f"{RECORDS}?verdict=review&p=2")
        expect(page.locator("[data-elsewhere]")).to_contain_text("and 2 on other pages")
        assert ticked(page) == 0
        page.locator("#result_list input.action-select").nth(5).check()
        watched.open(f"{RECORDS}?verdict=review&p=1")
        assert ticked(page) == 2
        expect(page.locator("[data-elsewhere]")).to_contain_text("and 1 on other pages")
        watched.open(RECORDS)  # another list of rows
        assert ticked(page) == 0
        watched.open(f"{RECORDS}?verdict=review&p=3")
        page.locator("select[name=action]").select_option("edit_selected")  # it asks first
        page.click("button[name=index]")
        expect(page.locator("#confirm")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-elsewhere]")).to_contain_text("and 3 on other pages")
        page.locator("select[name=action]").select_option("process_selected")
        page.click("button[name=index]")
        page.wait_for_url("**/runs/run/**")
        chosen = {thirty[number].pk for number in (0, 3, 15)}
        assert set(Run.objects.get().items.values_list("record_id", flat=True)) == chosen
        watched.open(f"{RECORDS}?verdict=review")
        assert ticked(page) == 0
        expect(page.locator("[data-elsewhere]")).to_be_hidden()
        assert watched.problems == []


def test_the_navigation_leads_back_to_the_filter_one_left(live_server, browser, boss, thirty):
    with browsing.watched_page(browser, live_server.url, width=1440) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"{RECORDS}?verdict=review&p=2")
        watched.open("/admin/runs/run/")
        page.locator("#nav-sidebar-apps a", has_text="Records").click()
        page.wait_for_url("**verdict=review**")
        page.locator("#nav-sidebar-apps a", has_text="Records").click()  # from the list itself: all rows
        page.wait_for_url(lambda url: url.endswith(RECORDS))
        assert watched.problems == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_on_a_phone_a_row_is_a_card_no_wider_than_the_page(live_server, browser, boss, thirty, dark: bool):
    with browsing.watched_page(browser, live_server.url, width=browsing.NARROW, dark=dark) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"{RECORDS}?verdict=review")
        wide = (
            "[...document.querySelectorAll('#result_list td')].some(cell => cell.getBoundingClientRect().right > 390)"
        )
        assert page.evaluate(wide) is False
        row = page.locator("#result_list tr.data-row").first
        assert row.locator(".field-outcome_badge").get_attribute("data-title") == "Verdict"
        page.locator("input.action-select").first.check()
        assert browsing.accessibility_problems(page) == []
        assert watched.problems == []
