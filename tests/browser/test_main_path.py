"""The main job, as a person does it: log in, select, act, watch 100 %, read what came out."""

import re
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from django_celery_results.models import TaskResult
from playwright.sync_api import Browser, Page, expect

from backoffice.runs.models import Run, State
from records.models import YourModel
from tests.browser.page import NARROW, Watched, accessibility_problems, watched_page
from tests.servers import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RECORDS = "/admin/records/yourmodel/"


def operator(browser: Browser, site: str, **options):
    return watched_page(browser, site, **options)


def choose(page: Page, action: str) -> None:
    page.select_option("select[name=action]", action)
    page.click("button[name=index]")


def test_an_operator_processes_all_records_and_reads_each_outcome(browser, site, worker):
    with operator(browser, site) as watched:
        page = watched.sign_in("operator", "backoffice")
        watched.open(RECORDS)
        page.check("#action-toggle")
        page.click(".question a")
        choose(page, "process_selected")
        expect(page.locator("[data-field=matched]")).to_have_text("1,500")
        page.get_by_role("button", name="Start the run over 1,500 records").click()
        expect(page.locator("[data-field=percent]")).to_have_text("100 %", timeout=60_000)
        expect(page.locator("[data-field=text]")).to_have_text(re.compile("^1,500 of 1,500 records done: .* valid, "))
        run = Run.objects.get()
        assert (run.state, run.succeeded, run.requester_name) == (State.SUCCESS, 1500, "operator")
        assert not YourModel.objects.filter(verdict="").exists()
        assert TaskResult.objects.filter(status="SUCCESS", task_id__startswith=run.uid).count() == 1500

        page.click("#items tbody th a >> nth=3")
        expect(page.get_by_label("State of this record")).to_be_visible()
        record = YourModel.objects.order_by("pk")[3]
        assert urlsplit(page.url).path == reverse("admin:records_yourmodel_change", args=[record.pk])
        page.go_back()
        page.click("#items tbody td a >> nth=0")
        expect(page.get_by_text("Processed instance").first).to_be_visible()
        assert watched.problems == []


def test_the_run_page_moves_while_it_runs_without_a_reload(browser, site):
    from tests.workers import running_worker

    with operator(browser, site) as watched:
        page = watched.sign_in("operator", "backoffice")
        watched.open(RECORDS)
        page.check(
            "#result_list tbody tr:first-child input.action-select, tbody tr:nth-child(1) input[name=_selected_action]"
        )
        choose(page, "process_selected")
        expect(page.locator("[data-field=percent]")).to_have_text("0 %")
        page.evaluate("window.same = true")
        with running_worker():
            expect(page.locator("[data-field=percent]")).to_have_text("100 %", timeout=30_000)
        assert page.evaluate("window.same") is True


def test_the_keyboard_alone_does_the_job(browser, site, worker):
    with operator(browser, site) as watched:
        page = watched.sign_in("operator", "backoffice")
        watched.open(RECORDS)
        page.locator("input[name=_selected_action]").first.focus()
        page.keyboard.press("Space")
        menu = page.locator("select[name=action]")
        menu.focus()
        page.keyboard.type("Proc")
        assert page.evaluate("document.activeElement.value") == "process_selected"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("[data-field=percent]")).to_have_text("100 %", timeout=30_000)


def press_on(watched: Watched, path: str) -> list[str]:
    page = watched.open(path)
    return [f"{path}: {problem}" for problem in accessibility_problems(page)]


@pytest.mark.parametrize("dark", [pytest.param(False, marks=pytest.mark.long), True], ids=["light", "dark"])
@pytest.mark.once
def test_the_pages_of_the_main_path_are_accessible_and_hold_at_390_pixels(browser, site, worker, dark):
    from backoffice.runs.start import start

    run = start(YourModel.objects.filter(pk__in=YourModel.objects.values("pk")[:20]), "process_model_instance")
    wait_until(lambda: Run.objects.get(pk=run.pk).is_finished, what="run finished")
    record = run.items.first().record_id
    paths = [
        "/admin/",
        RECORDS,
        reverse("admin:records_yourmodel_change", args=[record]),
        reverse("admin:runs_run_changelist"),
        reverse("admin:runs_run_change", args=[run.pk]),
        reverse("admin:django_celery_results_taskresult_changelist"),
        reverse("admin:django_celery_beat_periodictask_changelist"),
    ]
    with watched_page(browser, site, width=NARROW, dark=dark) as watched:
        watched.sign_in("admin", "backoffice")
        problems = []
        for path in paths:
            problems += press_on(watched, path)
            wide = watched.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                problems.append(f"{path}: {wide} pixels too wide")
        assert problems + watched.problems == []


def test_later_asks_for_a_time_and_the_run_waits_for_it(browser, site):
    with operator(browser, site) as watched:
        page = watched.sign_in("operator", "backoffice")
        watched.open(RECORDS)
        page.locator("input[name=_selected_action]").first.check()
        choose(page, "process_later")
        page.locator("input[type=datetime-local]").fill("2099-01-02T03:04")
        page.locator("main button[type=submit], form button[type=submit]").last.click()
        expect(page.get_by_text("Waits for its time")).to_be_visible()
        assert Run.objects.get().due_at.year == 2099
        assert watched.problems == []
