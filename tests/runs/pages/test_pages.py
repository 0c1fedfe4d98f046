"""The run's pages, and who may see them."""

import re

import pytest
from django.urls import reverse

from backoffice.runs.models import Run, RunItem, State
from backoffice.testing import work_off
from tests.factories import user
from tests.runs.clicks import invoices, page, press
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_shows_outcomes_errors_and_where_the_evidence_is(admin_client):
    probes(2)
    probes(1, behaviour="fail")
    run = work_off(poke_all())
    text = admin_client.get(page(run)).content.decode()
    assert re.search(r">done</span>\s+PROBE 0<", text)
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
    with django_assert_max_num_queries(15):
        clerk.get(page(run))
    with django_assert_max_num_queries(4):
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
    client.force_login(user("second.change_invoice", username="other"))
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
    client.force_login(user("runs.view_run", username="auditor"))
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
