"""The schedules in a real Chromium: by keyboard alone, as each group, wide and narrow, light and dark."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Page, expect

from backoffice.results.models import Activity
from backoffice.runs.models import Worker
from backoffice.schedules import enabling
from backoffice.schedules.models import Firing
from tests.browser.page import NARROW, WIDE, accessibility_problems, watched_page
from tests.factories import user
from tests.runs.factories import probes
from tests.schedules import factories
from tests.schedules.tasks import PROCESS, TICK

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
LIST = "/admin/django_celery_beat/periodictask/"
PASSWORD = "a long one"


@pytest.fixture
def site(transactional_db, live_server):
    """Somebody of each group, named like it."""
    call_command("loaddata", "groups", verbosity=0)
    for group in Group.objects.all():
        user(username=group.name.lower(), password=PASSWORD).groups.add(group)
    user(username="boss", password=PASSWORD, is_superuser=True)
    return live_server.url


def row_with_history() -> PeriodicTask:
    row = factories.row("Weekdays", crontab=factories.crontab("30 7 * * 1-5", "Europe/Berlin"))
    due = timezone.now() - timedelta(days=1)
    values = {"schedule": row, "schedule_name": row.name}
    Firing.objects.create(**values, due_at=due, state="sent", sent_at=due, note="Started run 1 over 3 records.")
    why = "Beat was not running from 2026-01-01 00:00:00 to 2026-01-01 03:00:00 UTC."
    Firing.objects.create(**values, due_at=due + timedelta(hours=1), state="skipped", times=3, reason=why)
    enabling.log("ada", "schedule.changed", row.pk, row.name, changes={"zone": ["UTC", "Europe/Berlin"]})
    return row


def tab_to(page: Page, selector: str) -> None:
    for _ in range(150):  # the boxes of a crontab are many
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by the tabulator key")


def test_a_scheduler_makes_a_schedule_with_the_keyboard_alone(site, browser):
    factories.partners(4)
    with watched_page(browser, site) as watched:
        watched.sign_in("scheduler", PASSWORD)
        page = watched.open(f"{LIST}add/")
        tab_to(page, "[name=name]")
        page.keyboard.type("Every morning")
        tab_to(page, "[name=work]")
        page.keyboard.type("Process")
        tab_to(page, "[name=selection]")
        page.keyboard.type("processed__exact=0")
        tab_to(page, "[data-builder] summary")
        page.keyboard.press("Enter")
        for value in ("2", "6"):  # the hours: two off, six on
            tab_to(page, f"[data-place='1'] input[value='{value}']")
            page.keyboard.press("Space")
        expect(page.locator("[name=crontab_text]")).to_have_value("0 6 * * *")
        tab_to(page, "[name=zone]")
        page.keyboard.type("Europe/Ber")
        expect(page.locator("[data-part=sentence]")).to_have_text("At 06:00, every day, Europe/Berlin")
        expect(page.locator("[data-part=matching]")).to_have_text(
            "4 records match now: processed: no. 4 of them need it."
        )
        expect(page.locator("[data-part=firings] tr")).to_have_count(10)
        tab_to(page, "button[name=_save]")
        page.keyboard.press("Enter")
        expect(page.locator("#result_list")).to_contain_text("Every morning")
        assert watched.problems == []
    row = PeriodicTask.objects.get()
    assert (row.crontab.hour, str(row.crontab.timezone), row.enabled) == ("6", "Europe/Berlin", True)
    assert Activity.objects.filter(verb="schedule.added", actor="scheduler").exists()


def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(site, browser):
    with watched_page(browser, site) as watched:
        watched.sign_in("scheduler", PASSWORD)
        page = watched.open(f"{LIST}add/")
        page.fill("[name=name]", "Never")
        page.select_option("[name=work]", index=1)
        page.fill("[name=crontab_text]", "0 0 31 2 *")
        expect(page.locator("[data-part=errors]")).to_contain_text("Times (crontab): The crontab")
        page.click("button[name=_save]")
        expect(page.locator(".field-crontab_text, .errors").first).to_contain_text("The crontab")
        expect(page.locator("[name=name]")).to_have_value("Never")
        assert watched.problems == []
    assert not PeriodicTask.objects.exists()


def test_each_group_may_do_what_it_should_and_no_more(site, browser):
    row = factories.row("Hourly", task=PROCESS, args="[1]", interval=factories.interval(1, "hours"))
    change = f"{LIST}{row.pk}/change/"
    with watched_page(browser, site) as watched:
        watched.sign_in("operator", PASSWORD)
        assert page_status(watched.page, site + LIST) == 403
        assert page_status(watched.page, site + change) == 403
    with watched_page(browser, site) as watched:
        page = watched.sign_in("auditor", PASSWORD)
        watched.open(change)
        expect(page.locator(".sch-away")).to_contain_text("Beat is not running")
        expect(page.locator("#content-main, main").first).to_contain_text("every hour")
        expect(page.get_by_role("button", name="Run now")).to_have_count(0)
        expect(page.locator("button[name=_save]")).to_have_count(0)
        watched.open(LIST)
        expect(page.locator("#result_list")).to_contain_text("Hourly")
        expect(page.locator("select[name=action]")).to_have_count(0)
        assert watched.problems == []
    with watched_page(browser, site) as watched:
        page = watched.sign_in("scheduler", PASSWORD)
        for name in ("Turn off", "Turn on", "Run now"):
            watched.open(change)
            page.get_by_role("button", name=name).press("Enter")
            if name == "Run now":
                expect(page.get_by_role("button", name="Yes, run now")).to_be_focused()
                page.keyboard.press("Escape")
                expect(page.get_by_role("button", name="Run now")).to_be_focused()
                page.keyboard.press("Enter")
                page.get_by_role("button", name="Yes, run now").press("Enter")
            expect(page.get_by_text(SAID[name]).first).to_be_visible()
            assert page.url == f"{site}{change}"
        for word in ("Turned off", "Turned on", "Run now", "by scheduler"):
            expect(page.locator("#content-main, main").first).to_contain_text(word)
        assert watched.problems == []
    assert (Firing.objects.get().by, Firing.objects.get().state) == ("scheduler", "sent")


SAID = {
    "Turn off": "Turned off: Hourly.",
    "Turn on": "Turned on: Hourly.",
    "Run now": "Started: Hourly (go to its run)",
}


def page_status(page: Page, url: str) -> int:
    answer = page.request.get(url)
    return answer.status


@pytest.mark.parametrize(("width", "dark"), [pytest.param(WIDE, False, marks=pytest.mark.long), (NARROW, True)])
def test_a_filter_of_the_list_becomes_a_schedule_by_keyboard_and_leads_back(site, browser, width, dark):
    factories.partners(4)
    with watched_page(browser, site, width, dark) as watched:
        watched.sign_in("scheduler", PASSWORD)
        page = watched.open("/admin/records/yourmodel/?processed__exact=0&q=P0002")
        if width == NARROW:  # the theme folds the buttons of a page into one
            tab_to(page, "[x-data*=showActions] > a")
            page.keyboard.press("Enter")
        tab_to(page, "a[href*='selection=']")
        assert accessibility_problems(page) == []
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=matching]")).to_have_text(
            "1 record matches now: processed: no, search “P0002”. 1 of them needs it."
        )
        tab_to(page, "[name=name]")
        page.keyboard.type("Every night")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Every night").first.click()
        page.get_by_role("link", name="The records it takes").click()
        page.wait_for_url("**/records/yourmodel/?processed__exact=0&q=P0002")
        assert watched.problems == []
    with watched_page(browser, site, width, dark) as watched:
        watched.sign_in("operator", PASSWORD)
        page = watched.open("/admin/records/yourmodel/")
        expect(page.locator("#result_list")).to_be_visible()
        expect(page.locator("a[href*='selection=']")).to_have_count(0)


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), pytest.param(NARROW, True, marks=pytest.mark.long)])
def test_the_pages_are_accessible_and_fit(site, browser, width, dark):
    row = row_with_history()
    alive_all_along = timezone.now() + timedelta(hours=1)
    Worker.objects.create(name="beat@here/1", kind="beat", seen_at=alive_all_along)
    broken = factories.row("Broken")
    enabling.disable(broken.pk, enabling.BEAT, "The headers must be of the form {…}.")
    found = []
    with watched_page(browser, site, width, dark) as watched:
        page = watched.sign_in("boss", PASSWORD)
        for path in (LIST, f"{LIST}add/", f"{LIST}{row.pk}/change/", "/admin/schedules/firing/"):
            watched.open(path).wait_for_load_state("networkidle")
            found += [f"{path} {problem}" for problem in accessibility_problems(page)]
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, path
        watched.open(f"{LIST}{row.pk}/change/")
        for text in ("Next due:", "Started run 1 over 3 records.", "Beat was not running", "3 due times"):
            expect(page.get_by_text(text).first).to_be_visible()
        expect(page.locator(".sch-history").last).to_contain_text("ada")
    assert found == []
    assert watched.problems == []


def test_the_task_that_is_chosen_brings_its_inputs_and_nothing_typed_is_lost(site, browser):
    probes(3)
    say, tick = "records:tests.probe.tasks.say", "tests.schedules.tasks.tick"
    with watched_page(browser, site, NARROW, dark=True) as watched:
        watched.sign_in("boss", PASSWORD)
        page = watched.open(f"{LIST}add/")
        page.fill("[name=name]", "Nightly")
        expect(page.locator(".field-parameters")).to_be_hidden()
        page.select_option("[name=work]", say)
        page.fill("[name=set-word]", "hello")
        page.fill("[name=set-times]", "9")
        expect(page.locator("[data-part=errors]")).to_contain_text("Times: Ensure this value is less")
        expect(page.locator(".field-arguments")).to_be_hidden()
        page.select_option("[name=work]", tick)
        expect(page.locator(".field-parameters")).to_be_hidden()
        page.locator("[name=arguments]").fill("[1]")
        page.select_option("[name=work]", say)
        expect(page.locator("[name=set-word]")).to_have_value("hello")
        page.click("button[name=_save]")
        expect(page.locator("[name=set-times]")).to_have_attribute("aria-invalid", "true")
        page.wait_for_load_state("networkidle")
        assert accessibility_problems(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        expect(page.locator("[name=name]")).to_have_value("Nightly")
        page.fill("[name=set-times]", "2")
        page.keyboard.press("Enter")
        expect(page.locator("#result_list")).to_contain_text("Word: hello; Times: 2")
        assert watched.problems == []
    assert json.loads(PeriodicTask.objects.get().kwargs)["parameters"]["word"] == "hello"


def test_the_readers_own_time_stands_beside_the_pages_and_not_where_they_are_one(site, browser):
    factories.row("Nightly", crontab=factories.crontab("0 2 * * *"))
    with watched_page(browser, site, zone="Asia/Tokyo") as watched:
        page = watched.sign_in("scheduler", PASSWORD)
        watched.open(LIST)
        expect(page.locator("#result_list .field-next_due")).to_contain_text("02:00 UTC (11:00 GMT+9)")
        watched.open(f"{LIST}add/")
        page.select_option("select[name=work]", TICK)
        expect(page.locator("[data-part=firings] tr").first).to_contain_text("02:00:00 UTC (11:00 GMT+9)")
        page.check("input[name=when][value=once]")
        page.fill("input[name=at]", "2030-12-31T18:30")
        expect(page.locator(".field-at")).to_contain_text("(2031-01-01 03:30 GMT+9)")
        assert watched.problems == []
    with watched_page(browser, site, zone="UTC") as watched:
        page = watched.sign_in("scheduler", PASSWORD)
        watched.open(LIST)
        expect(page.locator("#result_list .field-next_due")).to_contain_text("02:00 UTC")
        expect(page.locator(".bo-own-time")).to_have_count(0)
