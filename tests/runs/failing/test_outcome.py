"""A crashed check is no outcome: list and page say that it failed, and mark the old outcome as of when it was."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from backoffice.runs.failing import outcome
from backoffice.runs.models import Dismissal, Run
from backoffice.runs.start import start
from backoffice.testing import work_off
from records.models import YourModel
from records.tasks import apply_corrections, process_model_instance
from tests import factories
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.second.models import Invoice
from tests.second.tasks import tax_invoice

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"
CHECK = "records.tasks.process_model_instance"


@pytest.fixture
def operator(client):
    client.user = factories.member("Operator")
    client.force_login(client.user)
    return client


def page(record) -> str:
    return reverse("admin:records_yourmodel_change", args=[record.pk])


def crash(monkeypatch, *records, by=None) -> Run:
    """A check of these records that fails."""
    with monkeypatch.context() as patch:
        patch.setattr(YourModel, "process", lambda self: 1 / 0)
        return work_off(start(YourModel.objects.filter(pk__in=[r.pk for r in records]), CHECK, by=by))


def row(client, record) -> str:
    html = client.get(LIST, {"q": record.reference}).text
    return html.partition("<tbody")[2].partition("</tbody>")[0]


def test_the_list_and_the_page_call_no_record_valid_whose_check_has_crashed(operator, monkeypatch):
    made = factories.processed()
    verdict = str(made.get_verdict_display())
    when = f"{made.processed_at:%Y-%m-%d %H:}"
    assert f">{verdict}</span>" in row(operator, made)
    run = crash(monkeypatch, made, by=operator.user)
    listed, html = row(operator, made), operator.get(page(made)).text
    for text in (listed, html):
        assert "last check failed" in text
        assert f">{verdict}</span>" not in text
        assert f"{verdict} as of {when}" in text
        assert ">processed</span>" not in text
    assert "ZeroDivisionError" not in listed
    assert "ZeroDivisionError" in html or "division by zero" in html
    assert reverse("admin:runs_run_change", args=[run.pk]) in html
    assert "no issue" not in html
    assert f"{len(made.issues)} issue" not in html


def test_a_retry_from_the_page_makes_it_true_again(operator, monkeypatch):
    made = factories.processed()
    run = crash(monkeypatch, made, by=operator.user)
    sent = {"action": "selected", "_selected_action": made.pk, "form_token": "once"}
    assert reverse("admin:runs_run_retry", args=[run.pk]) in operator.get(page(made)).text
    operator.post(reverse("admin:runs_run_retry", args=[run.pk]), sent)
    again = Run.objects.get(retry_of=run)
    work_off(again)
    assert "last check failed" not in row(operator, made) + operator.get(page(made)).text
    assert f">{made.get_verdict_display()}</span>" in row(operator, made)


def test_who_may_not_retry_is_told_and_offered_nothing(client, monkeypatch):
    made = factories.processed()
    run = crash(monkeypatch, made)
    auditor = factories.member("Auditor")
    client.force_login(auditor)
    html = client.get(page(made)).text
    assert "last check failed" in html
    assert reverse("admin:runs_run_retry", args=[run.pk]) not in html


def test_after_an_edit_it_is_not_checked_yet(operator):
    made = factories.processed(email="nobody")
    YourModel.objects.filter(pk=made.pk).update(processed=False)
    listed, html = row(operator, made), operator.get(page(made)).text
    for text in (listed, html):
        assert "not checked yet" in text
        assert "invalid as of" in text
        assert ">invalid</span>" not in text
    assert "no issue" not in html


def test_only_of_a_record_that_was_checked_as_it_is_a_list_says_what_is_wrong(operator):
    issue = re.compile(r'class="field-main_issue[^>]*>(.*?)</td>', re.DOTALL)
    assert issue.search(row(operator, factories.record()))[1] == "–"
    edited = factories.processed(email="nobody")
    assert "E-mail: no @ sign" in issue.search(row(operator, edited))[1]
    YourModel.objects.filter(pk=edited.pk).update(processed=False)
    assert issue.search(row(operator, edited))[1] == "–"
    assert issue.search(row(operator, factories.processed()))[1] == ""


def test_a_filter_finds_those_whose_last_check_failed(operator, monkeypatch):
    bad, good, mended = factories.processed(), factories.processed(), factories.processed()
    crash(monkeypatch, bad, mended)
    work_off(start(YourModel.objects.filter(pk=mended.pk), CHECK))
    found = operator.get(LIST, {"last": "failed"}).context["cl"]
    assert [each.pk for each in found.result_list] == [bad.pk]
    assert good.pk not in [each.pk for each in found.result_list]


def test_another_kind_s_failure_with_the_same_number_is_not_this_one_s(operator, monkeypatch):
    made = factories.processed()
    Probe.objects.create(pk=made.pk, text="x", behaviour="fail")
    work_off(start(Probe.objects.all(), "poke"))
    assert "last check failed" not in row(operator, made)
    assert list(operator.get(LIST, {"last": "failed"}).context["cl"].result_list) == []


def test_corrections_that_failed_cast_no_doubt_on_the_check(operator, monkeypatch):
    made = factories.processed(country="Deutschland")
    with monkeypatch.context() as patch:
        patch.setattr(YourModel, "apply_corrections", lambda self, *args, **kwargs: 1 / 0)
        assert work_off(start(YourModel.objects.filter(pk=made.pk), "records.tasks.apply_corrections")).failed == 1
    assert "last check failed" not in row(operator, made) + operator.get(page(made)).text


def test_which_tasks_are_checks():
    assert outcome.checks(YourModel, "verdict") == [process_model_instance]
    assert apply_corrections not in outcome.checks(YourModel)
    assert outcome.checks(Invoice) == [tax_invoice]
    assert poke in outcome.checks(Probe)


def test_a_team_s_record_says_it_too(client, monkeypatch):
    invoice = Invoice.objects.create(number="I-1", net=100)
    with monkeypatch.context() as patch:
        patch.setattr(Invoice, "process", lambda self: 1 / 0)
        work_off(start(Invoice.objects.all(), "tax_invoice"))
    clerk = factories.user("second.view_invoice", "second.change_invoice", "runs.view_run", "runs.retry_run")
    client.force_login(clerk)
    html = client.get(reverse("admin:second_invoice_change", args=[invoice.pk])).text
    assert "last run failed" in html
    assert "Retry" in html


def test_a_page_of_the_list_asks_once_for_all_its_records(operator, monkeypatch, django_assert_max_num_queries):
    first, *others = [factories.processed() for _ in range(20)]
    crash(monkeypatch, first)
    operator.get(LIST)
    with django_assert_max_num_queries(11) as one:
        operator.get(LIST)
    crash(monkeypatch, *others)
    with django_assert_max_num_queries(len(one)):
        assert operator.get(LIST).text.count("last check failed") >= 20


@pytest.mark.parametrize("near", [8, 0])
def test_the_filter_says_the_same_as_a_look_at_each_record(monkeypatch, near):
    """Whichever way what has mended a failure is looked for."""
    monkeypatch.setattr(outcome.standing, "NEAR", near)
    mended, standing, dismissed, again = made = [factories.processed() for _ in range(4)]
    task = CHECK

    def found() -> set[int]:
        failed = outcome.standing.of_tasks([task])
        one_by_one = outcome.failures([process_model_instance], [each.pk for each in made])
        assert {item.pk for item in failed} == {item.pk for item in one_by_one}
        return {item.record_id for item in failed}

    assert found() == set()
    work_off(start([mended.pk, again.pk], task))
    run = crash(monkeypatch, *made)
    assert found() == {each.pk for each in made}
    work_off(start([mended.pk, again.pk], task))
    Dismissal.objects.create(run=run, record_id=dismissed.pk, reason="sold")
    assert found() == {standing.pk}
    crash(monkeypatch, again)
    assert found() == {standing.pk, again.pk}


@pytest.mark.parametrize("near", [8, 0])
def test_the_filter_walks_failures_and_not_all_items(is_sqlite, monkeypatch, near):
    if not is_sqlite:
        pytest.skip("EXPLAIN differs")
    monkeypatch.setattr(outcome.standing, "NEAR", near)
    made = factories.processed()
    crash(monkeypatch, made)
    work_off(start([made.pk], CHECK))
    Run.objects.update(settled_at=None)
    asked = outcome.standing.of_tasks([CHECK])
    sql, params = YourModel.objects.filter(pk__in=asked.values("record_id")).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        plan = [line[-1] for line in cursor.fetchall()]
    assert not [line for line in plan if line.startswith("SCAN") and ("runitem" in line or "yourmodel" in line)], plan
