import pytest
from django.contrib.auth.models import Permission, User
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from backoffice.results.models import Activity
from backoffice.runs import chunks, items, publish
from backoffice.runs.models import Chunk, Run, RunItem, State
from backoffice.runs.registry import find
from backoffice.runs.sweep import sweep
from tests.probe.models import Probe
from tests.second.models import Invoice

from .factories import poke_all, probes, work_off

pytestmark = pytest.mark.django_db(transaction=True)
INVOICES = "admin:second_invoice_changelist"


def person(name: str, *permissions: str) -> User:
    user = User.objects.create_user(name, password="x", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


@pytest.fixture
def clerk(client):
    user = person("clerk", "second.view_invoice", "second.change_invoice")
    client.force_login(user)
    return client


def invoices(number: int) -> list[int]:
    Invoice.objects.bulk_create([Invoice(number=f"I{n}", net=n) for n in range(number)])
    return list(Invoice.objects.values_list("pk", flat=True))


def press(client, picked, **extra):
    data = {"action": "tax_selected", "index": "0", "_selected_action": picked[:1000], **extra}
    return client.post(reverse(INVOICES) + extra.pop("query", ""), data)


def page(run: Run, name: str = "change") -> str:
    return reverse(f"admin:runs_run_{name}", args=[run.pk])


# --- the click


def test_a_click_makes_a_run_and_lands_on_its_page(clerk):
    answer = press(clerk, invoices(3))
    run = Run.objects.get()
    assert answer.url == page(run)
    assert (run.total, run.requester_name, run.source) == (3, "clerk", "action")
    assert run.selection == "3 records, selected by hand"


def test_select_all_means_all_that_the_filter_matches(clerk):
    invoices(150)
    answer = clerk.post(
        reverse(INVOICES) + "?q=", {"action": "tax_selected", "select_across": "1", "_selected_action": invoices(1)[:1]}
    )
    assert answer.status_code == 302
    assert Run.objects.get().total == 151


def test_above_the_bound_a_page_says_how_many_and_why_before_anything_happens(clerk, settings):
    settings.RUNS_CONFIRM_ABOVE = 10
    picked = invoices(12)
    press(clerk, picked[:2])
    answer = press(clerk, picked, select_across="1")
    assert answer.status_code == 200
    assert (answer.context_data["preview"].matched, answer.context_data["preview"].eligible) == (12, 10)
    assert "already in an active run" in answer.content.decode()
    assert Run.objects.count() == 1
    answer = press(clerk, picked, select_across="1", confirmed="1")
    assert Run.objects.latest("pk").total == 10


def test_a_doubled_or_replayed_post_makes_one_run(clerk):
    picked = invoices(3)
    first, second = press(clerk, picked, form_token="t"), press(clerk, picked, form_token="t")
    assert first.url == second.url
    assert Run.objects.count() == 1


def test_another_selection_from_the_same_page_is_another_click(clerk):
    picked = invoices(3)
    press(clerk, picked[:1], form_token="t")
    press(clerk, picked[1:], form_token="t")
    assert Run.objects.count() == 2


def test_without_the_permission_the_action_is_neither_shown_nor_done(client):
    picked = invoices(2)
    client.force_login(person("viewer", "second.view_invoice"))
    assert "tax_selected" not in client.get(reverse(INVOICES)).content.decode()
    answer = press(client, picked)
    assert answer.status_code == 200  # the list again
    assert not Run.objects.exists()


def test_nothing_selected_is_said(clerk):
    invoices(1)
    answer = clerk.post(reverse(INVOICES), {"action": "tax_selected", "index": "0"}, follow=True)
    assert "Items must be selected" in answer.content.decode()
    assert not Run.objects.exists()


def test_without_redis_the_click_is_kept_and_said_to_wait(clerk, monkeypatch):
    class Away:
        name = "away"

        def apply_async(self, *_args, **_kwargs):
            raise publish.OperationalError("refused")

    monkeypatch.setattr(publish, "find", lambda _name: Away())
    answer = press(clerk, invoices(2))
    text = clerk.get(answer.url).content.decode()
    assert "Redis cannot be reached right now: the run is saved" in text
    assert Run.objects.get().total == 2


def test_a_click_that_the_database_refuses_leaves_no_trace(clerk, monkeypatch):
    def locked(*_args, **_kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr("backoffice.runs.snapshot.write", locked)
    with pytest.raises(OperationalError):
        press(clerk, invoices(2))
    assert not Run.objects.exists()


# --- the page of a run


def test_the_page_shows_outcomes_errors_and_where_the_evidence_is(admin_client):
    probes(2)
    probes(1, behaviour="fail")
    run = work_off(poke_all())
    text = admin_client.get(page(run)).content.decode()
    assert "done: PROBE 0" in text
    assert "ValueError: cannot work on" in text
    assert "Task result" in text
    failed = admin_client.get(page(run) + "?state=FAILURE").context_data["page"]
    assert [line.item.state for line in failed.lines] == [State.FAILURE]


def test_a_script_in_an_outcome_is_text(admin_client):
    probes(1)
    run = work_off(poke_all())
    RunItem.objects.update(outcome="<script>alert(1)</script>")
    assert b"<script>alert(1)" not in admin_client.get(page(run)).content


def test_items_are_paged_by_key(admin_client):
    probes(120)
    run = work_off(poke_all())
    seen, after = [], ""
    while after is not None:
        found = admin_client.get(page(run) + f"?after={after}").context_data["page"]
        seen += [line.item.record_id for line in found.lines]
        after = found.next_after
    assert seen == sorted(set(seen))
    assert len(seen) == 120


def test_the_page_and_the_poll_cost_a_fixed_number_of_queries(clerk, django_assert_max_num_queries):
    picked = invoices(60)
    press(clerk, picked)
    run = Run.objects.get()
    clerk.get(page(run))
    with django_assert_max_num_queries(14):
        clerk.get(page(run))
    with django_assert_max_num_queries(3):
        clerk.get(page(run, "progress"))


def test_the_list_costs_a_fixed_number_of_queries(admin_client, django_assert_max_num_queries):
    probes(1)
    for _ in range(12):
        work_off(poke_all())
    admin_client.get(reverse("admin:runs_run_changelist"))
    with django_assert_max_num_queries(12):
        admin_client.get(reverse("admin:runs_run_changelist"))


def test_the_poll_tells_how_far_it_is(admin_client):
    probes(3)
    run = poke_all()
    assert admin_client.get(page(run, "progress")).json()["percent"] == 0
    work_off(run)
    told = admin_client.get(page(run, "progress")).json()
    assert (told["percent"], told["finished"], told["counts"]["SUCCESS"]) == (100, True, 3)


# --- who may


def test_a_run_is_its_requesters_and_404_for_others(clerk, client):
    press(clerk, invoices(1))
    run = Run.objects.get()
    assert clerk.get(page(run)).status_code == 200
    client.force_login(person("other", "second.change_invoice"))
    assert [client.get(page(run, name)).status_code for name in ("change", "progress")] == [404, 404]
    assert [client.post(page(run, name)).status_code for name in ("cancel", "retry")] == [404, 404]
    assert str(run.pk) not in [
        row.pk for row in client.get(reverse("admin:runs_run_changelist")).context_data["cl"].result_list
    ]


def test_an_auditor_sees_every_run_and_can_do_nothing_to_it(client):
    probes(1, behaviour="fail")
    done = work_off(poke_all())
    probes(1)
    going = poke_all()
    client.force_login(person("auditor", "runs.view_run"))
    assert client.get(page(done)).status_code == 200
    assert client.post(page(going, "cancel")).status_code == 403
    assert client.post(page(done, "retry")).status_code == 403
    assert Run.objects.count() == 2


@pytest.mark.parametrize("name", ["change", "progress", "cancel", "retry", "delete", "history"])
def test_nobody_gets_in_without_logging_in(client, name):
    probes(1)
    run = poke_all()
    answer = client.post(page(run, name)) if name in ("cancel", "retry") else client.get(page(run, name))
    assert answer.status_code == 302
    assert "/login/" in answer.url


def test_a_run_is_never_added_changed_or_deleted_by_hand(admin_client):
    probes(1)
    run = poke_all()
    assert admin_client.get(reverse("admin:runs_run_add")).status_code == 403
    assert admin_client.post(page(run), {"state": "SUCCESS"}).status_code == 405
    assert admin_client.post(page(run, "delete"), {"post": "yes"}).status_code == 403
    admin_client.post(
        reverse("admin:runs_run_changelist"), {"action": "delete_selected", "_selected_action": [run.pk], "post": "yes"}
    )
    run.refresh_from_db()
    assert run.state == State.PENDING


@pytest.mark.parametrize("pk", ["999", "text", "-1", str(2**63), "9" * 30])
def test_a_run_that_is_not_there_is_404(admin_client, pk):
    assert admin_client.get(f"/admin/runs/run/{pk}/change/").status_code == 404


# --- cancel and retry


def test_cancel_says_how_many_are_left_undone_and_works_once(clerk):
    press(clerk, invoices(5))
    run = Run.objects.get()
    answer = clerk.post(page(run, "cancel"), follow=True)
    assert "5 records are left undone" in answer.content.decode()
    assert "is being cancelled already" in clerk.post(page(run, "cancel"), follow=True).content.decode()
    run.refresh_from_db()
    assert (run.state, run.revoked, run.cancelled_by) == (State.REVOKED, 5, "clerk")


def test_what_is_in_hand_at_the_cancel_is_not_said_to_be_undone_until_it_is(clerk):
    press(clerk, invoices(9))
    run, task = Run.objects.get(), find("tax_invoice")
    first, second, *_others = Chunk.objects.order_by("pk")
    finished, given_back = (chunks.Shift(task, *chunks.claim(chunk.pk)) for chunk in (first, second))
    in_hand = first.size + second.size
    text = clerk.post(page(run, "cancel"), follow=True).content.decode()
    assert f"Cancelled: {9 - in_hand} records are left undone. {in_hand} more are in hand" in text
    assert "What is in hand is finished or given back" in text
    finished.run_through()
    given_back.hand_back()
    sweep()
    run.refresh_from_db()
    assert (run.state, run.succeeded, run.revoked) == (State.REVOKED, first.size, 9 - first.size)
    text = clerk.get(page(run)).content.decode()
    assert f"{run.revoked} records were left undone" in text
    assert f"{first.size} of 9 records done, {run.revoked} left undone" in text
    assert "in hand is finished" not in text


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
    shown = admin_client.get(page(run)).context_data["errors"].groups
    assert [(group.kind, group.number) for group in shown] == [("ValueError", 2), ("Instance … not found.", 1)]
    found = admin_client.get(page(run), {"error": "Instance … not found."}).context_data["page"]
    assert [line.item.record_id for line in found.lines] == [gone]


def test_a_page_groups_the_first_failures_and_all_of_them_when_asked(admin_client, monkeypatch):
    probes(3, behaviour="fail")
    late = probes(2)
    run = poke_all()
    Probe.objects.filter(pk__in=[probe.pk for probe in late]).delete()
    work_off(run)
    assert "Group all" not in admin_client.get(page(run)).content.decode()
    monkeypatch.setattr(items, "GROUPED", 3)
    answer = admin_client.get(page(run))
    assert "Of the first 3 failures." in answer.content.decode()
    assert [(group.kind, group.number) for group in answer.context_data["errors"].groups] == [("ValueError", 3)]
    answer = admin_client.get(page(run), {"groups": "all"})
    assert "Of the first" not in answer.content.decode()
    found = [(group.kind, group.number) for group in answer.context_data["errors"].groups]
    assert found == [("ValueError", 3), ("Instance … not found.", 2)]


def test_a_retry_of_one_group_takes_all_of_it_however_many(admin_client):
    many = 20_500
    rows = probes(many)
    run = poke_all()
    Chunk.objects.all().delete()
    ended = {"state": State.FAILURE, "active": False, "finished_at": timezone.now()}
    run.items.filter(record_id__lte=rows[-3].pk).update(error="ValueError: odd", **ended)
    run.items.filter(record_id__gt=rows[-3].pk).update(error="KeyError: rare", **ended)
    Run.objects.filter(pk=run.pk).update(failed=many, state=State.FAILURE, finished_at=timezone.now())
    assert "KeyError" in admin_client.get(page(run)).content.decode()
    for error, number in (("KeyError", 2), ("ValueError", many - 2)):
        admin_client.post(page(run, "retry"), {"action": "error", "error": error, "form_token": error})
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
    for chosen in ({"action": "selected"}, {"action": "error", "error": ""}):
        answer = admin_client.post(page(run, "retry"), chosen, follow=True)
        assert "Select the failed records" in answer.content.decode()
    assert Run.objects.count() == 1


def test_one_error_group_is_retried(admin_client):
    run, first, second, _gone = failing_run()
    admin_client.post(page(run, "retry"), {"action": "error", "error": "ValueError", "form_token": "t"})
    again = Run.objects.get(retry_of=run)
    assert set(again.items.values_list("record_id", flat=True)) == {first.pk, second.pk}
    assert "ValueError" in again.selection
    assert Activity.objects.filter(verb="run.started", object_id=str(again.pk)).exists()
