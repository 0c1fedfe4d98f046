"""The desk's pages in a real Chromium: no script error, no policy violation, nobody else asked, all accessible."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.desk.failures import failures
from backoffice.desk.models import Comparison, DayCount, RetentionPolicy
from backoffice.desk.tasks import count_records
from backoffice.notices.models import Notice
from backoffice.results.activity import log
from backoffice.runs.models import Run, RunItem, Tally
from tests.browser import page as browsing
from tests.desk import factories
from tests.factories import record, user
from tests.runs.factories import poke_all, probes

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture
def boss(transactional_db):
    # The other tests here empty every table, this one too.
    for kind, days in {"results": 365, "changes": 365, "items": 365, "runs": 1825}.items():
        RetentionPolicy.objects.get_or_create(kind=kind, defaults={"days": days})
    return user(is_superuser=True, username="boss", password="a long one")


@pytest.mark.parametrize(
    ("width", "dark"), [pytest.param(browsing.WIDE, False, marks=pytest.mark.long), (browsing.NARROW, True)]
)
def test_every_page_keeps_the_policy_and_is_accessible(live_server, browser, boss, width: int, dark: bool):
    run = factories.run(requester=boss, succeeded=3, failed=1)
    about = record(reference="X-1")
    row = factories.item_result(run, about, status="FAILURE", result='{"exc_type": "E", "exc_message": ["<b>no"]}')
    entry, group = log(boss, "run.started", run), factories.group_result()
    RunItem.objects.update(error="ValueError: cannot read 'a very long name' of record 17 at /var/lib/backoffice/x.csv")
    changes = {"town": ["<b>Bonn  Beuel", "Bonn\u00a0"], "website": ["", "https://example.com/" * 9]}
    log(boss, "record.edited", about, changes=changes)
    known = {"run": run.pk, "kind": "rows_missing", "number": 3, "records": list(range(20))}
    moment, counts = timezone.now(), {"compared": 1_234_567, "runs": 3, "rows_missing": 3}
    times = {"started_at": moment, "finished_at": moment, "since": moment}
    Comparison.objects.create(open=None, asked_by="boss", counts=counts, differences=[known], **times)
    Comparison.objects.create(open=None, asked_by="boss", error="Its worker was not heard of any more.", **times)
    Comparison.objects.create(asked_by="boss", started_at=moment, expected=1_234_567)
    told = {"user": boss, "kind": Notice.Kind.SCHEDULE_OFF, "is_failure": True}
    Notice.objects.create(key="1", about={"name": "N" * 200, "reason": "No such task."}, **told)
    Notice.objects.create(key="2", user=boss, kind=Notice.Kind.RUN_FINISHED, run=run, read_at=moment)
    for days, key, number in (
        (0, "valid", 1_500),
        (1, "review", 36),
        (1, "a label of some length, without a colour", 4),
    ):
        day = timezone.localdate() - timedelta(days=days)
        told = {"label": "records.yourmodel", "kind": "outcome", "key": key, "number": number}
        DayCount.objects.create(day=day, counted_at=moment, **told)
    cause = failures.groups(boss).groups[0].fingerprint
    results = "/admin/django_celery_results"
    paths = [
        "/admin/",
        f"{results}/taskresult/?state=FAILURE",
        f"{results}/taskresult/{row.pk}/change/",
        f"{results}/groupresult/{group.pk}/change/",
        "/admin/results/activity/",
        f"/admin/results/activity/{entry.pk}/change/",
        "/admin/auth/user/",
        f"/admin/auth/user/{boss.pk}/change/",
        f"/admin/auth/user/{boss.pk}/delete/",
        "/admin/password_change/",
        "/admin/notices/",
        "/admin/notices/choice/",
        "/admin/desk/agreement/",
        "/admin/desk/failures/",
        f"/admin/desk/failures/{cause}/",
        f"/admin/desk/timeline/records.yourmodel/{about.pk}/",
        f"/admin/desk/timeline/records.yourmodel/{about.pk}/?since=2026-01-01&until=2026-01-02",
        f"/admin/records/yourmodel/{about.pk}/change/",
        f"/admin/runs/run/{run.pk}/change/",
        "/admin/desk/retentionpolicy/",
        f"/admin/desk/retentionpolicy/{RetentionPolicy.objects.get(kind='items').pk}/change/",
        "/admin/auth/group/add/",
        "/admin/runs/run/",
        f"/admin/runs/run/{run.pk}/undo/",
        "/admin/records/yourmodel/",
        "/admin/records/yourmodel/export/",
        "/admin/records/yourmodel/import/",
    ]
    with browsing.watched_page(browser, live_server.url, width, dark) as watched:
        watched.open("/admin/login/")
        found = browsing.accessibility_problems(watched.page)
        watched.sign_in("boss", "a long one")
        for path in paths:
            polls = path == "/admin/" or "/runs/run/" in path or "/agreement/" in path
            watched.open(path).wait_for_load_state("load" if polls else "networkidle")
            assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            found += [f"{path} {problem}" for problem in browsing.problems_in_both_themes(watched.page)]
            assert watched.page.evaluate("typeof Chart") == ("function" if path == "/admin/" else "undefined"), path
        assert found == []
        assert watched.problems == []


def test_the_desk_moves_by_itself_though_it_was_opened_idle(live_server, browser, boss):
    record(), count_records()
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        page.wait_for_selector(".bo-tile:has-text('Not checked') >> text='1'")
        run = factories.run(requester=boss, succeeded=3, total=10)
        bar = page.locator(f'#desk-running [data-run="{run.pk}"] progress')
        bar.wait_for(timeout=10_000)  # an idle page asks every five seconds
        assert bar.get_attribute("value") == "3"
        bar.evaluate("bar => { bar.same = true }")
        Run.objects.filter(pk=run.pk).update(succeeded=7)
        page.wait_for_function("document.querySelector('#desk-running progress')?.value === 7")
        assert bar.evaluate("bar => bar.same")  # what did not change stays, with the focus in it
        Tally.objects.create(run=run, kind="outcome", key="review", number=10)
        Run.objects.filter(pk=run.pk).update(succeeded=10, state="SUCCESS", finished_at=timezone.now())
        record(), count_records()
        page.wait_for_selector(f'#desk-last [data-run="{run.pk}"] >> text="review"')
        page.wait_for_selector(".bo-tile:has-text('Not checked') >> text='2'")
        page.wait_for_selector("#desk-running .bo-empty")
        page.locator("#desk-last a.bo-part").press("Enter")
        page.wait_for_url(f"**/runs/run/{run.pk}/change/?outcome=review#items")
        assert watched.problems == []


def test_a_run_says_by_itself_that_nobody_reads_its_queue_until_somebody_does(live_server, browser, boss):
    probes(3)
    run = poke_all()
    with browsing.watched_page(browser, live_server.url) as watched:
        watched.sign_in("boss", "a long one")
        page = watched.open(f"/admin/runs/run/{run.pk}/change/")
        note = page.locator("[data-field=waits]")
        note.wait_for(state="visible")
        assert "No worker reads the queue “records”" in note.inner_text()
        factories.worker("records")
        note.wait_for(state="hidden")
        assert watched.problems == []


def test_the_theme_is_switched_by_keyboard_without_a_violation(live_server, browser, boss):
    with browsing.watched_page(browser, live_server.url, width=1400) as watched:
        page = watched.sign_in("boss", "a long one")
        page.wait_for_selector("[role=button]:has-text('boss')")
        page.locator("[role=button]:has-text('boss')").press("Enter")
        page.locator("[role=button]:has-text('Dark') >> visible=true").press("Enter")
        page.wait_for_selector("html.dark")
        page.reload()
        page.wait_for_selector("html.dark")
        assert watched.problems == []
