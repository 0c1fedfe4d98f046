"""Cancel and retry."""

import pytest
from django.db import transaction
from django.utils import timezone

from backoffice.results.models import Activity
from backoffice.runs import operations
from backoffice.runs.counting.again import recount
from backoffice.runs.engine import chunks, claims
from backoffice.runs.models import Chunk, Run, State
from backoffice.runs.registry import find
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.runs.clicks import invoices, page, press
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


def test_cancel_says_how_many_are_left_undone_and_works_once(clerk):
    press(clerk, invoices(5))
    run = Run.objects.get()
    answer = clerk.post(page(run, "cancel"), follow=True)
    assert "5 records are not worked on" in answer.content.decode()
    assert "is being cancelled already" in clerk.post(page(run, "cancel"), follow=True).content.decode()
    run.refresh_from_db()
    assert (run.state, run.revoked, run.cancelled_by) == (State.REVOKED, 5, "clerk")


def test_what_is_in_hand_at_the_cancel_is_not_said_to_be_undone_until_it_is(clerk):
    press(clerk, invoices(9))
    run, task = Run.objects.get(), find("tax_invoice")
    first, second, *_others = Chunk.objects.order_by("pk")
    finished, given_back = (chunks.Shift(task, *claims.claim(chunk.pk)) for chunk in (first, second))
    in_hand = first.size + second.size
    text = clerk.post(page(run, "cancel"), follow=True).content.decode()
    assert f"Cancelled: {9 - in_hand} records are not worked on. {in_hand} more are in progress" in text
    assert "What is in progress is finished or given back" in text
    finished.run_through()
    given_back.give_back()
    sweep()
    run.refresh_from_db()
    assert (run.state, run.succeeded, run.revoked) == (State.REVOKED, first.size, 9 - first.size)
    text = clerk.get(page(run)).content.decode()
    assert f"{run.revoked} records were not worked on" in text
    assert f"{first.size} of 9 records done: {first.size} taxed, {run.revoked} cancelled" in text
    assert "in progress is finished" not in text


def test_a_cancel_that_stopped_nothing_says_so_and_nothing_else(clerk):
    press(clerk, invoices(3))
    run, task = Run.objects.get(), find("tax_invoice")
    shifts = [chunks.Shift(task, *claims.claim(chunk.pk)) for chunk in Chunk.objects.order_by("pk")]
    text = clerk.post(page(run, "cancel"), follow=True).content.decode()
    assert "Nothing was left to begin. 3 records are in progress" in text
    for shift in shifts:
        shift.run_through()
    text = clerk.get(page(run)).content.decode()
    assert "Cancel was pressed by clerk at" in text
    assert "too late: all were done." in text
    assert "not worked on" not in text


def test_retry_makes_a_new_run_of_the_failed_records_linked_to_the_old(admin_client):
    probes(3)
    (bad,) = probes(1, behaviour="fail")
    run = work_off(poke_all())
    answer = admin_client.post(page(run, "retry"), {"form_token": "once"})
    again = Run.objects.get(retry_of=run)
    assert answer.url == page(again)
    assert list(again.items.values_list("record_id", flat=True)) == [bad.pk]
    assert admin_client.post(page(run, "retry"), {"form_token": "once"}).url == page(again)


def failing_run():
    probes(2)
    first, second = probes(2, behaviour="fail")
    (gone,) = probes(1)
    run = poke_all()
    gone_pk = gone.pk
    gone.delete()
    return work_off(run), first, second, gone_pk


def test_the_page_groups_failures_by_error_and_shows_one_group(admin_client):
    run, first, second, gone = failing_run()
    shown = admin_client.get(page(run)).context_data["groups"]
    told = [("ValueError: cannot work on …", 2), ("Instance … not found.", 1)]
    assert [(group.words, group.number) for group in shown] == told
    for asked in (shown[1].query, "error=Instance … not found."):
        found = admin_client.get(f"{page(run)}?{asked}").context_data["page"]
        assert [line.item.record_id for line in found.lines] == [gone]


def test_a_retry_of_one_group_takes_all_of_it_however_many(admin_client):
    many = 20_500
    rows = probes(many)
    run = poke_all()
    Chunk.objects.all().delete()
    ended = {"state": State.FAILURE, "active": False, "finished_at": timezone.now()}
    run.items.filter(record_id__lte=rows[-3].pk).update(error="ValueError: odd", **ended)
    run.items.filter(record_id__gt=rows[-3].pk).update(error="KeyError: rare", **ended)
    Run.objects.filter(pk=run.pk).update(failed=many, state=State.FAILURE, finished_at=timezone.now())
    with transaction.atomic():
        recount(run)
    usual, rare = admin_client.get(page(run)).context_data["groups"]
    for group, number in ((rare, 2), (usual, many - 2)):
        admin_client.post(page(run, "retry"), {"action": "alike", "alike": group.value, "form_token": group.value})
        assert Run.objects.latest("pk").total == number


def test_the_selected_failed_records_are_retried_and_no_others(admin_client):
    run, first, second, _gone = failing_run()
    fine = run.items.filter(state=State.SUCCESS).first().record_id
    picked = {"action": "selected", "_selected_action": [first.pk, fine, "text"], "form_token": "t"}
    answer = admin_client.post(page(run, "retry"), picked)
    again = Run.objects.get(retry_of=run)
    assert list(again.items.values_list("record_id", flat=True)) == [first.pk]
    assert again.selection == f"Selected failed records of run {run.pk}"
    assert admin_client.post(page(run, "retry"), picked).url == answer.url  # replayed
    other = {**picked, "_selected_action": [second.pk]}
    assert admin_client.post(page(run, "retry"), other).url != answer.url


def test_selecting_nothing_to_retry_is_said(admin_client):
    run, *_ = failing_run()
    for chosen in ({"action": "selected"}, {"action": "alike", "alike": ""}):
        answer = admin_client.post(page(run, "retry"), chosen, follow=True)
        assert "Select the failed records" in answer.content.decode()
    assert Run.objects.count() == 1


def test_one_error_group_is_retried(admin_client):
    run, first, second, _gone = failing_run()
    group = admin_client.get(page(run)).context_data["groups"][0]
    admin_client.post(page(run, "retry"), {"action": "alike", "alike": group.value, "form_token": "t"})
    again = Run.objects.get(retry_of=run)
    work_off(again)
    by_kind = operations.retry(run, "anna", error="ValueError")
    assert set(by_kind.items.values_list("record_id", flat=True)) == {first.pk, second.pk}
    assert set(again.items.values_list("record_id", flat=True)) == {first.pk, second.pk}
    assert "ValueError" in again.selection
    assert Activity.objects.filter(verb="run.started", object_id=str(again.pk)).exists()
