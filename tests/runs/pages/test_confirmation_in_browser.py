"""The page before a run in a real Chromium: by keyboard, back with the selection, once; accessible and whole."""

import pytest
from django import forms
from playwright.sync_api import Page, expect

from backoffice.runs.models import Run
from backoffice.runs.seam import start
from backoffice.testing import work_off
from tests.browser.looks import LOOKS
from tests.browser.page import accessibility_problems, watched_page
from tests.factories import user
from tests.probe import tasks
from tests.probe.admin import ProbeAdmin
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.servers import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
LIST = "/admin/probe/probe/"
PASSWORD = "a long one"
ROWS = "input.action-select"


@pytest.fixture
def site(transactional_db, live_server, monkeypatch):
    monkeypatch.setattr(ProbeAdmin, "list_per_page", 3)
    rights = ("probe.view_probe", "probe.change_probe", "runs.view_run")
    user(*rights, username="clerk", password=PASSWORD)
    probes(5)
    return live_server.url


@pytest.fixture
def clerk(site, browser):
    with watched_page(browser, site) as watched:
        watched.sign_in("clerk", PASSWORD)
        yield watched
        assert watched.problems == []


def select(watched, *, number: int = 2, query: str = "", across: bool = False, action: str = "say_selected") -> Page:
    page: Page = watched.open(LIST + query)
    for at in range(number):
        page.locator(ROWS).nth(at).check()
    if across:
        page.locator("#action-toggle").check()
        page.locator(".actions .question a").click()
    page.select_option("select[name=action]", action)
    page.click("button[name=index]")
    await_cursor(page)
    return page


def await_cursor(page: Page) -> None:
    """A second page of the same browser has one too, though Chromium says that it is not in front."""
    page.locator("#confirm [autofocus]").wait_for()
    wait_until(lambda: page.evaluate("document.activeElement.autofocus"), what="the cursor where an answer is due")


def picked(page: Page) -> list[bool]:
    return [box.is_checked() for box in page.locator(ROWS).all()]


def test_what_is_asked_is_filled_in_and_confirmed_with_the_keyboard_alone(clerk):
    page = select(clerk)
    page.keyboard.type("hello")  # the cursor is where something is to be filled in
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/run/*/change/**")
    expect(page.locator(".bo-facts").first).to_contain_text("hello")
    assert Run.objects.get().parameters["word"] == "hello"


def test_where_nothing_is_asked_enter_confirms(clerk, settings):
    settings.RUNS_CONFIRM_ABOVE = 1
    page = select(clerk, action="poke_selected")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/run/*/change/**")
    assert Run.objects.get().total == 2


def test_the_key_that_led_there_still_held_down_confirms_nothing(clerk, settings):
    settings.RUNS_CONFIRM_ABOVE = 1
    page = clerk.open(LIST)
    for at in range(2):
        page.locator(ROWS).nth(at).check()
    page.select_option("select[name=action]", "poke_selected")
    page.locator("button[name=index]").focus()
    page.keyboard.down("Enter")
    await_cursor(page)
    page.keyboard.down("Enter")  # again, and not up between: the keyboard repeats it
    page.keyboard.up("Enter")
    page.wait_for_load_state("networkidle")
    assert not Run.objects.exists()
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/run/*/change/**")


WAYS = {
    "escape": lambda page: page.keyboard.press("Escape"),
    "the button": lambda page: page.click("[data-way-back]"),
    "the browser's back": lambda page: page.go_back(),
    "escape after a refusal": lambda page: (page.keyboard.press("Enter"), page.locator(".run-wrong").wait_for(),
                                            page.keyboard.press("Escape")),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        ({"number": 2}, [True, True, False]),
        ({"number": 1, "query": "?p=2"}, [True, False]),
        ({"number": 0, "across": True, "query": "?q=probe"}, [True, True, True]),
    ],
)
def test_the_way_back_leads_to_the_same_list_with_the_same_rows(clerk, way, chosen, rows):
    page = select(clerk, **chosen)
    WAYS[way](page)
    page.wait_for_url(f"**{LIST}{chosen.get('query', '')}")
    expect(page.locator("select[name=action]")).to_have_value("say_selected")
    assert picked(page) == rows
    if chosen.get("across"):
        expect(page.locator(".actions .all")).to_be_visible()
    page.click("button[name=index]")
    number = 5 if chosen.get("across") else sum(rows)
    expect(page.locator("[data-field=eligible]")).to_have_text(str(number))
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/run/*/change/**")
    assert Run.objects.get().total == number


def test_who_went_elsewhere_begins_anew(clerk):
    page = select(clerk)
    clerk.open("/admin/")
    clerk.open(LIST)
    assert picked(page) == [False, False, False]


def test_after_the_run_the_list_has_nothing_selected(clerk):
    page = select(clerk)
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/run/*/change/**")
    clerk.open(LIST)
    assert picked(page) == [False, False, False]


def test_a_double_click_is_one_run(clerk):
    page = select(clerk)
    page.fill("[name=set-word]", "x")
    page.locator("#confirm button[type=submit]").dblclick()
    page.wait_for_url("**/runs/run/*/change/**")
    assert Run.objects.count() == 1


def test_back_and_another_answer_is_another_run(clerk):
    page = select(clerk, number=1)
    page.keyboard.type("a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/run/*/change/**")
    page = select(clerk, number=2)
    page.keyboard.type("b")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/run/*/change/**")
    assert list(Run.objects.order_by("pk").values_list("parameters__word", "total")) == [("a", 1), ("b", 1)]


def test_what_is_wrong_stands_at_its_input_and_what_was_typed_is_kept(clerk):
    page = select(clerk)
    page.fill("[name=set-times]", "9")
    page.get_by_role("button", name="Start the run").click()
    for name, told in (("word", "This field is required."), ("times", "less than or equal to 3")):
        input_ = page.locator(f"[name=set-{name}]")
        expect(input_).to_have_attribute("aria-invalid", "true")
        about = input_.get_attribute("aria-describedby")
        expect(page.locator(f"#{about.split()[0]}")).to_contain_text(told)
    assert page.evaluate("document.activeElement.name") == "set-word"
    expect(page.locator("[name=set-times]")).to_have_value("9")
    assert not Run.objects.exists()


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_its_pages_are_accessible_and_hold(site, browser, monkeypatch, width, dark):
    long = "Nobodyhaseverseenalabelaslongasthisone" * 4
    monkeypatch.setattr(tasks.say, "reason", "required")
    monkeypatch.setitem(tasks.Wording.base_fields, "times", forms.IntegerField(label=long, help_text=long, max_value=3))
    run = start(Probe.objects.order_by("pk")[:1], "say", reason=long, parameters={"word": "x", "times": 1})
    Probe.objects.update(text="w" * 20)
    changed = work_off(start(Probe.objects.all(), "poke", reason=long))
    found = []
    with watched_page(browser, site, width, dark) as watched:
        page = watched.sign_in("clerk", PASSWORD)

        def look(name):
            page.wait_for_load_state("networkidle")
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found.extend([f"{name}: {wider} wider"] if wider > 0 else [])
            found.extend(f"{name}: {problem}" for problem in accessibility_problems(page))

        for action in ("say_selected", "say_later"):
            watched.open(LIST)
            page.locator(ROWS).first.check()
            page.select_option("select[name=action]", action)
            page.click("button[name=index]")
            look(action)
            page.click("#confirm button[type=submit]")
            look(f"{action}, refused")
        watched.open(f"/admin/runs/run/{run.pk}/change/")
        look("run")
        watched.open(f"/admin/runs/run/{changed.pk}/changes/")
        look("changes")
        expect(page.locator(".bo-changes ins").first).to_have_text("W" * 20)
        page.get_by_role("link", name="Result").click()
        expect(page.locator("[aria-current=true]")).to_contain_text("Result")
        look("changes of one field")
        watched.open(f"/admin/probe/probe/{changed.items.first().record_id}/change/")
        look("timeline")
        assert watched.problems == []
    assert found == []
