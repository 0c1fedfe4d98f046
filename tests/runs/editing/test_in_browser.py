"""The page of a bulk edit in a real Chromium: who types means it, who takes the tick away does not."""

import pytest

from backoffice.runs.models import Run
from backoffice.testing import work_off
from tests import factories
from tests.browser import page as browsing
from tests.browser.looks import LOOKS
from tests.freight.factories import shipment
from tests.freight.models import Shipment

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture
def boss(transactional_db):
    for number in range(3):
        shipment(f"S{number}", contact="old@example.com")
    return factories.user(is_superuser=True, username="boss", password="a long one")


def choose(watched):
    page = watched.sign_in("boss", "a long one")
    watched.open("/admin/freight/shipment/")
    for box in page.locator("input.action-select").all():
        box.check()
    page.locator(".actions select[name=action]").select_option("edit_selected")
    page.locator(".actions button[type=submit]").first.click()
    page.wait_for_selector("#confirm")
    return page


def ticked(page) -> list[str]:
    return page.eval_on_selector_all("[name=given]:checked", "boxes => boxes.map(box => box.value)")


def test_typing_ticks_and_the_tick_can_be_taken_away(live_server, browser, boss):
    with browsing.watched_page(browser, live_server.url) as watched:
        page = choose(watched)
        page.get_by_label("Weight", exact=True).fill("7")
        page.get_by_label("Due", exact=True).fill("2030-01-02")
        page.get_by_label("Fragile", exact=True).select_option("false")
        page.get_by_label("Set Contact").check()
        assert ticked(page) == ["weight", "due", "fragile", "contact"]
        page.get_by_label("Set Fragile").uncheck()
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Start the run over 3 records").click()
        page.wait_for_url("**/runs/run/**")
        assert watched.problems == []
    run = work_off(Run.objects.get())
    assert run.parameters == {"weight": "7", "due": "2030-01-02", "contact": ""}
    assert set(Shipment.objects.values_list("weight", "contact", "fragile")) == {(7, "", False)}


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_it_is_accessible_and_holds(live_server, browser, boss, width: int, dark: bool):
    with browsing.watched_page(browser, live_server.url, width, dark) as watched:
        page = choose(watched)
        page.get_by_label("Contact", exact=True).fill("nobody")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        found = browsing.accessibility_problems(page)
        page.get_by_role("button", name="Start the run").click()
        page.wait_for_selector(".run-wrong")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert [*found, *browsing.accessibility_problems(page)] == []
        assert watched.problems == []
