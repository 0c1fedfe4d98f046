"""Lists as a person works with them: filters one after the other, and rows picked on a phone."""

import pytest
from django.contrib.auth.models import Group, User
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from playwright.sync_api import Page, expect

from backoffice.runs.models import Run
from records.admin import YourModelAdmin
from records.models import YourModel
from tests.browser import page as browsing
from tests.factories import record, user
from tests.second.models import Invoice

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
RECORDS = "/admin/records/yourmodel/"


@pytest.fixture
def boss() -> User:
    return user(is_superuser=True, username="boss", password="a long one")


@pytest.fixture
def thirteen_of_many() -> None:
    for number in range(60):
        fields = {"verdict": "review" if number < 30 else "valid", "country": "ES" if number % 30 < 13 else "FR"}
        record(**fields)


def open_filters(page: Page) -> None:
    page.locator(".filter-open-button").click()


def apply(page: Page, name: str, value: str) -> None:
    """In the list of choices, or in the one that the theme draws over it."""
    open_filters(page)
    page.eval_on_selector(
        f"select[name={name}]",
        "(select, value) => { select.value = value; select.dispatchEvent(new Event('change', {bubbles: true})); }",
        value,
    )
    page.get_by_role("button", name="Apply filters").click()


def test_a_verdict_then_a_country_and_apply_is_both(live_server, browser, boss, thirteen_of_many, monkeypatch):
    monkeypatch.setattr(YourModelAdmin, "list_per_page", 10)
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"{RECORDS}?p=3")
        apply(page, "verdict", "review")
        page.wait_for_url("**verdict=review**")
        assert page.url.endswith("?verdict=review")
        apply(page, "country", "ES")
        page.wait_for_url("**country=ES**")
        assert "verdict=review" in page.url
        page.check("#action-toggle")
        page.locator(".question a").click()
        page.select_option("select[name=action]", "process_selected")
        page.locator("button[name=index]").click()
        page.wait_for_url("**/runs/run/**")
        run = Run.objects.get()
        meant = YourModel.objects.filter(verdict="review", country="ES")
        assert (run.total, set(run.items.values_list("record_id", flat=True))) == (
            13,
            set(meant.values_list("pk", flat=True)),
        )
        assert watched.problems == []


def test_a_search_and_a_sort_keep_the_filter_and_the_filter_keeps_the_search(
    live_server, browser, boss, thirteen_of_many
):
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"{RECORDS}?verdict=review&country=ES&p=2")
        page.fill("#searchbar", "Company")
        page.press("#searchbar", "Enter")
        page.wait_for_url("**q=Company**")
        page.locator("#result_list thead a", has_text="name").first.click()
        page.wait_for_url("**o=2**")
        apply(page, "country", "FR")
        page.wait_for_url("**country=FR**")
        assert all(part in page.url for part in ("verdict=review", "q=Company", "o=2"))
        assert "country=ES" not in page.url
        assert page.locator("input[name=_selected_action]").count() == 17
        assert watched.problems == []


def schedule(name: str) -> PeriodicTask:
    every, _made = IntervalSchedule.objects.get_or_create(every=9, period="days")
    return PeriodicTask.objects.create(name=name, task="records.tasks.add", interval=every)


LONG = {
    RECORDS: lambda: [record() for _number in range(30)],
    "/admin/second/invoice/": lambda: [Invoice.objects.create(number=f"I{n}", net=1) for n in range(30)],
    "/admin/auth/user/": lambda: [user() for _number in range(30)],
    "/admin/auth/group/": lambda: [Group.objects.create(name=f"G{n}") for n in range(30)],
    "/admin/django_celery_beat/periodictask/": lambda: [schedule(f"S{n}") for n in range(30)],
}  # fmt: skip


@pytest.mark.parametrize("width", [browsing.NARROW, pytest.param(700, marks=pytest.mark.long), browsing.WIDE])
def test_the_bar_of_actions_covers_no_row(live_server, browser, boss, width: int):
    for make in LONG.values():
        make()
    with browsing.watched_page(browser, live_server.url, width) as watched:
        page = watched.sign_in("boss", "a long one")
        for path in LONG:
            watched.open(path)
            boxes = page.locator("input.action-select")
            boxes.first.check()
            expect(page.locator("#changelist-actions")).to_be_visible()
            page.select_option("select[name=action]", index=1)  # the button appears, and the bar is as high as it gets
            page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
            assert is_reachable(page), path
            boxes.last.click(timeout=3_000)  # as it lies: what covers it would be clicked instead
            expect(boxes.last).to_be_checked()
        assert watched.problems == []


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.long)], ids=["light", "dark"])
def test_ticked_rows_open_filters_and_refusals_are_accessible(live_server, browser, boss, thirteen_of_many, dark: bool):
    with browsing.watched_page(browser, live_server.url, dark=dark) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"{RECORDS}?country=FR")
        page.check("#action-toggle")
        page.select_option("select[name=action]", "process_selected")
        page.mouse.move(0, 0)
        found = browsing.accessibility_problems(page)
        open_filters(page)
        expect(page.locator("#changelist-filter")).to_be_visible()
        found += browsing.accessibility_problems(page)
        for refused in (f"{RECORDS}?name__regex=x", "/admin/nowhere/"):
            found += browsing.accessibility_problems(watched.open(refused))
        assert found == []


def is_reachable(page: Page) -> bool:
    """Whether a finger at the middle of the last row's box, with the list scrolled to its end, meets the box."""
    return bool(
        page.evaluate(
            """() => {
                const box = [...document.querySelectorAll("input.action-select")].at(-1);
                const at = box.getBoundingClientRect();
                const met = document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2);
                return met === box || box.closest("td, label").contains(met);
            }"""
        )
    )
