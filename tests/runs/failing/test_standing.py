"""A failure stands until a later run of its task succeeds with its record, or somebody dismisses it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from backoffice.results.models import Activity
from backoffice.runs import operations
from backoffice.runs.engine import events
from backoffice.runs.failing import dismissing, standing
from backoffice.runs.models import Dismissal, Event, Run, RunItem
from backoffice.runs.start import EmptySelection, activate, start
from backoffice.testing import work_off
from tests.factories import member, user
from tests.probe.models import Probe
from tests.runs.clicks import page
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client):
    made = user(is_superuser=True)
    client.force_login(made)
    return made


def failed_run(number: int = 3, **options) -> Run:
    probes(number, behaviour="fail")
    return work_off(poke_all(**options))


def mend() -> None:
    Probe.objects.update(behaviour="fine")


def left(run: Run) -> list[int]:
    return list(standing.standing(RunItem.objects.of(run)).order_by("record_id").values_list("record_id", flat=True))


def words(run: Run) -> str:
    return standing.in_words(standing.with_settled(Run.objects).get(pk=run.pk))


def test_what_a_later_run_mended_stands_no_more():
    run = failed_run(3)
    mend()
    first, second, third = left(run)
    later = work_off(start([first, second], "poke"))
    since = standing.of_run(run)
    assert left(run) == [third]
    assert (since.left, since.mended_by, since.is_over) == (1, [(later.pk, 2)], False)
    assert words(run) == "1 still failing"
    work_off(start([third], "poke"))
    assert standing.of_run(run).is_over
    assert words(run) == "all settled since"


def test_later_goes_by_when_it_was_done_and_not_by_when_the_run_was_made():
    probes(1, behaviour="fail")
    planned = poke_all(due_at=timezone.now() + timedelta(hours=1))
    failing = work_off(poke_all())
    mend()
    assert activate(planned.pk)
    assert work_off(planned).succeeded == 1
    assert left(failing) == []


def test_a_success_before_the_failure_mends_nothing():
    probes(1, behaviour="fine")
    assert work_off(poke_all()).succeeded == 1
    Probe.objects.update(behaviour="fail")
    assert len(left(work_off(poke_all()))) == 1


def test_another_task_s_success_mends_nothing():
    run = failed_run(1)
    mend()
    assert work_off(start(Probe.objects.all(), "poke_briefly")).succeeded == 1
    assert len(left(run)) == 1


def test_a_retry_takes_what_stands_and_refuses_when_nothing_does(boss):
    run = failed_run(3)
    mend()
    work_off(start(left(run)[:2], "poke"))
    again = operations.retry(run, boss)
    assert again.total == 1
    work_off(again)
    with pytest.raises(EmptySelection, match="Nothing is left to retry"):
        operations.retry(run, boss)


def test_a_doubled_retry_finds_its_run_though_nothing_is_left(boss):
    run = failed_run(1)
    mend()
    made = work_off(operations.retry(run, boss, form_token="once"))
    assert operations.retry(run, boss, form_token="once") == made


def test_the_run_s_page_counts_what_stands_and_names_what_mended_it(client, boss):
    run = failed_run(3)
    mend()
    later = work_off(start(left(run)[:2], "poke"))
    html = client.get(page(run)).content.decode()
    assert "Retry the failed record<" in html
    assert "2 failures mended by" in html
    assert f"/admin/runs/run/{later.pk}/change/" in html
    assert html.count('name="_selected_action"') == 1
    work_off(operations.retry(run, boss))
    html = client.get(page(run)).content.decode()
    assert "Retry the" not in html
    assert 'name="_selected_action"' not in html
    assert "all settled since" in client.get("/admin/runs/run/").content.decode()


def test_a_run_that_one_may_not_see_is_named_without_a_link(client):
    anna = user("probe.change_probe")
    run = failed_run(1, requester=anna)
    mend()
    later = work_off(start(Probe.objects.all(), "poke"))
    client.force_login(anna)
    html = client.get(page(run)).content.decode()
    assert f"Run {later.pk}" in html
    assert f"/admin/runs/run/{later.pk}/" not in html


def test_of_many_failures_only_the_first_are_looked_at_and_the_page_says_so(client, boss, monkeypatch):
    run = failed_run(4)
    monkeypatch.setattr(standing, "LOOKED", 3)
    monkeypatch.setattr(standing, "GLANCED", 2)
    mend()
    work_off(start(left(run)[:2], "poke"))
    html = client.get(page(run)).content.decode()
    assert "Of the first 3 failures:" in html
    assert "Retry what still fails" in html
    assert words(run) == "some settled since"
    work_off(operations.retry(run, boss))
    later = Run.objects.latest("pk")
    assert words(run) == "some settled since"
    standing.settle_before(later)
    assert words(run) == "all settled since"
    assert Run.objects.get(pk=run.pk).settled_at
    html = client.get(page(run)).content.decode()
    assert "None still fails" in html
    assert "Retry what still fails" not in html


def test_a_run_whose_failures_stand_or_whose_items_are_gone_is_not_settled():
    run = failed_run(2)
    standing.settle([run])
    RunItem.objects.of(run).delete()
    standing.settle([run])
    run.refresh_from_db()
    assert run.settled_at is None
    assert words(run) == ""
    assert standing.of_run(run).retryable == 0


def test_failures_are_told_settled_when_a_run_of_their_task_has_ended():
    run = failed_run(2)
    mend()
    later = work_off(operations.retry(run, "somebody"))
    for event in Event.objects.filter(run=later):
        events.tell(event.pk)
    run.refresh_from_db()
    assert run.settled_at is not None


# --- dismissed


def test_a_deleted_record_s_failure_is_dismissed_with_a_reason(client, boss):
    run = failed_run(2)
    Probe.objects.order_by("pk").first().delete()
    html = client.get(page(run)).content.decode()
    assert "Retry the failed record<" in html
    assert "Dismiss the failure of the deleted record" in html
    assert "its record is deleted" in html
    client.post(page(run, "dismiss"), {"reason": " "})
    assert not Dismissal.objects.exists()
    client.post(page(run, "dismiss"), {"reason": "Sold to <b>Acme</b>"})
    assert len(left(run)) == 1
    dismissal = Dismissal.objects.get()
    assert (dismissal.reason, dismissal.by, dismissal.by_name) == ("Sold to <b>Acme</b>", boss, boss.username)
    html = client.get(page(run)).content.decode()
    assert "One failure dismissed" in html
    assert f"dismissed by {boss.username}: Sold to &lt;b&gt;Acme&lt;/b&gt;" in html
    assert Activity.objects.get(verb="run.dismissed").details["number"] == 1
    run.refresh_from_db()
    assert run.failed == 2


def test_a_record_that_is_there_is_not_dismissed(boss):
    run = failed_run(1)
    assert dismissing.dismiss_gone(run, boss, "tired of it") == 0
    assert len(left(run)) == 1


def test_of_two_who_dismiss_at_once_the_first_one_s_reason_stays(boss):
    run = failed_run(1)
    pk = Probe.objects.get().pk
    Probe.objects.all().delete()
    dismissing.dismiss({run: [pk]}, boss, "first")
    dismissing.dismiss({run: [pk]}, boss, "second")
    assert Dismissal.objects.get().reason == "first"


@pytest.mark.parametrize(
    ("permissions", "own", "status"),
    [
        ((), False, 404),
        (("runs.view_run",), False, 403),
        (("runs.view_run", "runs.add_dismissal"), False, 302),
        (("probe.change_probe",), True, 302),
    ],
)
def test_who_may_dismiss(client, permissions, own, status):
    who = user(*permissions)
    run = failed_run(1, requester=who if own else "somebody")
    Probe.objects.all().delete()
    client.force_login(who)
    assert client.post(page(run, "dismiss"), {"reason": "gone"}).status_code == status
    assert Dismissal.objects.exists() == (status == 302)


def test_operators_may_dismiss():
    assert member("Operator").has_perm("runs.add_dismissal")
    assert not Group.objects.get(name="Auditor").permissions.filter(codename="add_dismissal").exists()


# --- fast


def test_the_questions_do_not_grow_with_the_failures(client, boss, django_assert_max_num_queries):
    run = failed_run(30)
    mend()
    for pk in left(run)[:5]:
        work_off(start([pk], "poke"))
    client.get(page(run))
    with django_assert_max_num_queries(20):
        client.get(page(run))


def test_postgresql_compiles_no_question(is_sqlite):
    """It took 4.4 s over the list of runs, and 35 ms without."""
    if is_sqlite:
        pytest.skip("there is no such thing")
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_each_question_is_answered_by_an_index(is_sqlite):
    if not is_sqlite:
        pytest.skip("EXPLAIN differs")
    run = failed_run(1)
    asked = [
        standing.standing(RunItem.objects.of(run)),
        standing.of_records([run.task_id], [1, 2]),
        standing.with_failures(Run.objects),
    ]
    for queryset in asked:
        sql, params = queryset.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            plan = [row[-1] for row in cursor.fetchall()]
        assert not [line for line in plan if "SCAN runs_runitem" in line], plan
