"""The page of one task result: shown as it is, downloaded, cancelled when its task listens."""

import json
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django_celery_results.models import TaskResult

from backoffice.results import rows
from backoffice.results.cancel import cancel_requested
from backoffice.results.models import Activity
from tests.desk import factories
from tests.desk.admin.task_results import LIST, page
from tests.factories import record, user

pytestmark = pytest.mark.django_db


def test_json_is_pretty_and_everything_is_escaped(client: Client, superuser):
    long = {"name": "Zoë <script>alert(1)</script>", "list": list(range(40))}
    row = factories.failure("</pre><script>alert(2)</script>", task_kwargs=json.dumps(long))
    text = page(client, row)
    assert "&quot;name&quot;: &quot;Zoë &lt;script&gt;" in text
    assert "<script>alert" not in text
    assert "Traceback" in text
    assert "ValueError: &lt;/pre&gt;" in text


def test_json_within_json_is_unwrapped(client: Client, superuser):
    assert "(1, 2)" in page(client, factories.result(task_args=json.dumps("(1, 2)")))


def test_a_result_of_5_megabytes_shows_its_beginning_and_is_downloaded_whole(client: Client, superuser):
    row = factories.result(result=json.dumps("x" * 5_000_000))
    text = page(client, row)
    assert len(text) < 400_000
    answer = client.get(f"{LIST}{row.pk}/text/result/")
    assert len(answer.content) == 5_000_000
    assert "attachment" in answer["Content-Disposition"]
    assert answer["Content-Type"].startswith("text/plain")


def test_a_result_is_reached_by_its_task_id(client: Client, superuser):
    row = factories.result()
    assert client.get(f"{LIST}by-id/{row.task_id}/")["Location"] == f"{LIST}{row.pk}/change/"
    assert client.get(f"{LIST}by-id/none/").status_code == 404


def test_the_requester_of_a_run_reads_its_outcomes_and_others_do_not(client: Client):
    owner = user()
    row = factories.item_result(factories.run(requester=owner), record())
    client.force_login(owner)
    assert client.get(f"{LIST}{row.pk}/change/").status_code == 200
    assert client.get(f"{LIST}by-id/{row.task_id}/").status_code == 302
    assert client.get(LIST).status_code == 403
    client.force_login(user())
    assert client.get(f"{LIST}{row.pk}/change/").status_code == 403
    for address in (f"by-id/{row.task_id}/", f"{row.pk}/status/", f"{row.pk}/text/result/"):
        assert client.get(LIST + address).status_code == 404


# --- cancelling a task that listens


def long_task(status: str = "PROGRESS", **fields) -> TaskResult:
    said = json.dumps({"current": 4, "total": 10})
    return factories.result(status, task_name="records.tasks.long_running_task", result=said, **fields)


def test_a_task_that_listens_shows_its_progress_and_is_cancelled_by_a_button(client: Client):
    client.force_login(user("django_celery_results.view_taskresult", "results.add_cancelrequest", username="anna"))
    row = long_task()
    text = page(client, row)
    assert "4 of 10" in text
    assert f"{LIST}{row.pk}/cancel/" in text
    assert client.post(f"{LIST}{row.pk}/cancel/").status_code == 302
    assert cancel_requested(row.task_id)
    assert Activity.objects.filter(actor="anna", verb="task.cancelled", target=row.task_id).count() == 1
    text = page(client, row)
    assert "anna asked to cancel it" in text
    assert "Cancel this task" not in text


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "REVOKED", "RETRY"])
def test_what_has_ended_or_waits_offers_no_cancel_and_takes_none(client: Client, superuser, status: str):
    row = long_task(status)
    assert "Cancel this task" not in page(client, row)
    client.post(f"{LIST}{row.pk}/cancel/")
    assert not cancel_requested(row.task_id)


def test_a_task_that_does_not_listen_takes_no_cancel(client: Client, superuser):
    row = factories.result("STARTED")
    assert "Cancel this task" not in page(client, row)
    client.post(f"{LIST}{row.pk}/cancel/")
    assert not cancel_requested(row.task_id)


def test_cancelling_needs_its_permission_and_a_post(client: Client):
    client.force_login(user("django_celery_results.view_taskresult"))
    row = long_task()
    assert "Cancel this task" not in page(client, row)
    assert client.post(f"{LIST}{row.pk}/cancel/").status_code == 403
    client.force_login(user(is_superuser=True))
    assert client.get(f"{LIST}{row.pk}/cancel/").status_code == 403
    assert not cancel_requested(row.task_id)


def test_the_status_of_a_task_is_polled_as_json(client: Client, superuser):
    row = long_task()
    answer = client.get(f"{LIST}{row.pk}/status/").json()
    assert (answer["state"], answer["final"], answer["done"], answer["total"]) == ("PROGRESS", False, 4, 10)


def test_a_progress_that_says_no_numbers_is_no_error(client: Client, superuser):
    for said in ('{"current": "4", "total": null}', "[1]", "not json", '{"total": 0, "current": 0}', "null"):
        row = factories.result("PROGRESS", task_name="records.tasks.long_running_task", result=said)
        page(client, row)
        assert client.get(f"{LIST}{row.pk}/status/").json()["state"] == "PROGRESS"


@pytest.mark.parametrize("odd", ["file \udce4.csv", "nul \x00 byte", Decimal("1.50"), b"\xff", {"k": ["\ud800"]}])
def test_what_no_page_can_show_is_shown_as_its_escape(admin_client, odd):
    error = rows.error(ValueError(odd))
    for status, result in (("SUCCESS", odd), ("FAILURE", error), ("PROGRESS", odd)):
        rows.write([rows.row(f"id-{status}", status, name="a.task", args=[odd], kwargs={"k": odd}, result=result,
                             traceback=f"Traceback: {odd}")])  # fmt: skip
    for row in TaskResult.objects.all():
        for part in ("change/", "text/args/", "text/result/", "text/traceback/", "status/"):
            assert admin_client.get(f"{LIST}{row.pk}/{part}").status_code == 200
    for url in (LIST, reverse("admin:desk_failures"), "/admin/"):
        assert admin_client.get(url).status_code == 200
