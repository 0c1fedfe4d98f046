"""Failures by cause: what belongs together stands together, and is retried together by those who may."""

import pytest
from django.urls import reverse

from backoffice.desk.failures import failures
from backoffice.results.models import Activity
from backoffice.runs.models import Run, RunItem
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.factories import user
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db

LIST = "/admin/desk/failures/"


@pytest.fixture
def boss():
    return user(is_superuser=True)


def failed_run(number: int = 3, **options) -> Run:
    probes(number, behaviour="fail")
    return work_off(poke_all(**options))


def only_group(who) -> failures.Group:
    (group,) = failures.groups(who).groups
    return group


def test_one_cause_is_one_group_with_counts_and_times(boss):
    first = failed_run(3)
    again = start(Probe.objects.all(), "poke")
    work_off(again)
    group = only_group(boss)
    assert (group.kind, group.message, group.label) == ("ValueError", "cannot work on <value>", "Poke")
    assert (group.count, len(group.record_ids), group.run_ids) == (6, 3, {first.pk, again.pk})
    ended = RunItem.objects.values_list("finished_at", flat=True)
    assert (group.first, group.last) == (min(ended), max(ended))


def test_the_list_is_searched_by_words(client, boss):
    failed_run()
    client.force_login(boss)
    assert "cannot work on" in client.get(LIST, {"q": "VALUEERROR cannot"}).content.decode()
    html = client.get(LIST, {"q": "deadlock <b>"}).content.decode()
    assert "No failure has these words." in html
    assert "<b>" not in html
    assert client.get(LIST, {"q": "\x00"}).status_code == 200


def test_the_page_says_how_far_it_looked(client, boss, monkeypatch):
    client.force_login(boss)
    assert not {"Looked at", "0 cause"} & {each for each in ("Looked at", "0 cause") if each in client.get(LIST).text}
    failed_run(3)
    assert "all there are" in client.get(LIST).content.decode()
    monkeypatch.setattr(failures, "NEWEST", 2)
    assert "newest 2 failed records" in client.get(LIST).content.decode()


def test_the_failures_are_read_from_their_index_in_its_order(boss, is_sqlite):
    if not is_sqlite:
        pytest.skip("EXPLAIN differs")
    plan = failures.rows(boss)[:10].explain()
    assert "item_failed" in plan
    assert "TEMP B-TREE" not in plan


def test_each_person_sees_the_failures_of_their_own_runs(client):
    anna, berta, auditor = user("probe.change_probe"), user(), user("runs.view_run")
    failed_run(requester=anna)
    fingerprint = only_group(anna).fingerprint
    assert only_group(auditor).fingerprint == fingerprint
    assert failures.groups(berta).groups == []
    for who, status in ((anna, 200), (auditor, 200), (berta, 302)):
        client.force_login(who)
        assert client.get(f"{LIST}{fingerprint}/").status_code == status


def test_nobody_is_let_in_without_signing_in(client):
    assert client.get(LIST).status_code == 302
    assert client.post(f"{LIST}abc/").status_code == 302


def test_a_group_is_retried_as_one_run_and_logged(client, boss):
    failed_run(2)
    Probe.objects.update(behaviour="fine")
    failed_run(2)  # two more of the same cause, in another run; the first two succeed here
    Probe.objects.update(behaviour="fine")
    client.force_login(boss)
    group = only_group(boss)
    page = client.get(f"{LIST}{group.fingerprint}/")
    assert page.context["retryable"] == 2
    response = client.post(f"{LIST}{group.fingerprint}/", {"form_token": page.context["token"]})
    run = Run.objects.order_by("pk").last()
    assert response["Location"] == reverse("admin:runs_run_change", args=[run.pk])
    assert (run.source, run.total, run.requester_id) == ("retry", 2, boss.pk)
    assert "ValueError: cannot work on <value>" in run.selection
    assert Activity.objects.get(verb="failures.retried").details["fingerprint"] == group.fingerprint
    assert work_off(run).succeeded == 2
    assert failures.groups(boss).groups == []
    gone = client.post(f"{LIST}{group.fingerprint}/", {"form_token": "another"}, follow=True)
    assert "No failure of that kind stands" in gone.text
    assert Run.objects.order_by("pk").last() == run


def test_the_button_pressed_twice_makes_one_run_and_one_entry(client, boss):
    failed_run()
    client.force_login(boss)
    url = f"{LIST}{only_group(boss).fingerprint}/"
    for _ in range(2):
        client.post(url, {"form_token": "same"})
    assert Run.objects.count() == 2
    assert Activity.objects.filter(verb="failures.retried").count() == 1


def test_who_may_not_retry_gets_no_button_and_a_refusal(client):
    failed_run(requester="somebody")
    auditor = user("runs.view_run")
    client.force_login(auditor)
    url = f"{LIST}{only_group(auditor).fingerprint}/"
    assert client.get(url).context["retryable"] == 0
    assert client.post(url).status_code == 403
    assert Run.objects.count() == 1


def test_who_may_retry_runs_but_not_start_the_task_is_refused(client):
    failed_run(requester="somebody")
    clerk = user("runs.view_run", "runs.retry_run")
    client.force_login(clerk)
    assert client.post(f"{LIST}{only_group(clerk).fingerprint}/").status_code == 403


def test_the_questions_asked_do_not_grow_with_the_failures(client, boss, django_assert_max_num_queries):
    failed_run(40)
    client.force_login(boss)
    url = f"{LIST}{only_group(boss).fingerprint}/"
    client.get(url)
    with django_assert_max_num_queries(14):
        client.get(url)
    with django_assert_max_num_queries(10):
        client.get(LIST)
