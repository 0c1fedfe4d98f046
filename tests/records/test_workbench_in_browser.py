"""A record's page as people work at it: mended, checked left for the next one, by keyboard alone; nothing is lost."""

import pytest
from playwright.sync_api import Page, expect

from backoffice.runs.models import Run
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.browser import page as browsing

pytestmark = [pytest.mark.browser, pytest.mark.once]
LIST = "/admin/records/yourmodel/?verdict=corrected"


@pytest.fixture
def records(transactional_db):
    factories.user(is_superuser=True, username="boss", password="a long one")
    return [factories.processed(reference=f"K{n}", country="Deutschland") for n in range(5)]


def tab_to(page: Page, selector: str) -> int:
    """How often that key was pressed."""
    for pressed in range(1, 80):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return pressed
    raise AssertionError(f"{selector} cannot be reached by the keyboard")


def test_five_records_are_mended_and_checked_by_keyboard_alone(live_server, browser, records):
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(LIST)
        page.locator("#result_list tbody th a").first.press("Enter")
        for made in records:
            expect(page.locator("#id_reference")).to_have_value(made.reference)
            tab_to(page, "[data-use]")
            page.keyboard.press("Enter")
            expect(page.locator("#id_country")).to_be_focused()
            page.keyboard.press("Control+Enter")
            expect(page.locator("[data-at-work]")).to_be_visible()
            work_off(Run.objects.latest("pk"))
            expect(page.locator(".record-head .bo-badge").first).to_have_text("valid")
            page.keyboard.press("Alt+n")
        expect(page.get_by_text("This is the last one of the list.")).to_be_visible()
        assert browsing.accessibility_problems(page) == []
        assert watched.problems == []
    assert set(YourModel.objects.values_list("country", "verdict")) == {("DE", "valid")}


def test_two_people_changed_one_field_and_the_second_chooses(live_server, browser, records):
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"/admin/records/yourmodel/{records[0].pk}/change/")
        YourModel.objects.update(town="Bonn", address="Am Hof 1")
        page.fill("#id_town", "Ulm")
        page.fill("#id_address", "Am Hof 2")
        page.locator("[name=_continue]").click()
        town, address = (
            page.get_by_role("group", name="Which “Town” stays?"),
            page.get_by_role("group", name="Which “Address” stays?"),
        )
        town.get_by_text("Theirs:").click()
        expect(page.locator("#id_town")).to_have_value("Bonn")
        address.get_by_text("Theirs:").click()
        page.fill("#id_address", "Am Hof 3")
        expect(address.get_by_label("Yours:")).to_be_checked()
        assert browsing.accessibility_problems(page) == []
        page.locator("[name=_continue]").click()
        expect(town).to_have_count(0)
        assert watched.problems == []
    made = YourModel.objects.get(pk=records[0].pk)
    assert (made.town, made.address) == ("Bonn", "Am Hof 3")


def test_what_was_typed_is_sent_along_or_one_is_asked(live_server, browser, records):
    asked: list[str] = []
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        watched.open(f"/admin/records/yourmodel/{records[0].pk}/change/#history")
        expect(page.get_by_role("heading", name="Timeline of this record")).to_be_visible()
        expect(page.locator("#id_town")).to_be_hidden()
        page.get_by_role("link", name="Record", exact=True).click()
        expect(page.get_by_text("You have not saved yet: these buttons save first.")).to_be_hidden()
        page.fill("#id_town", "Neustadt")
        page.get_by_role("link", name="Next").click()
        page.wait_for_function("document.querySelector('#id_town').value === 'Neustadt'")
        assert asked == ["beforeunload"]
        expect(page.get_by_text("You have not saved yet: these buttons save first.")).to_be_visible()
        page.get_by_role("button", name="Process", exact=True).click()
        expect(page.locator("[data-at-work]")).to_be_visible()
        assert asked == ["beforeunload"]
        assert YourModel.objects.get(pk=records[0].pk).town == "Neustadt"
        page.fill("#id_name", "")
        page.get_by_role("link", name="Timeline", exact=True).click()
        page.get_by_role("button", name="Process", exact=True).click()
        expect(page.get_by_text("This field is required.")).to_be_visible()
        assert watched.problems == []
