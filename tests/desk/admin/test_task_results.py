"""The list of task results: what a row says, found, filtered and paged."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.desk.parts import keyset
from tests.desk import factories
from tests.desk.admin.task_results import LIST, page
from tests.factories import record, user

pytestmark = pytest.mark.django_db


def listed(client: Client, **query: str) -> list[int]:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


# --- what a row says


def test_a_row_names_record_run_and_source_with_links(client: Client, superuser):
    run, about = factories.run(requester=superuser), record(reference="ABC-1")
    factories.item_result(run, about)
    text = client.get(LIST).text
    assert f"/admin/runs/run/{run.pk}/change/" in text
    assert f"/admin/records/yourmodel/{about.pk}/change/" in text
    assert "ABC-1" in text
    assert "action" in text


def test_a_record_that_the_person_may_not_see_is_a_number_without_a_link(client: Client):
    client.force_login(user("django_celery_results.view_taskresult"))
    about = record(reference="SECRET-1")
    row = factories.item_result(factories.run(requester=user()), about)
    for text in (client.get(LIST).text, page(client, row)):
        assert "SECRET-1" not in text
        assert f"record {about.pk}" in text
        assert "/admin/runs/run/1" not in text


def test_a_record_that_is_gone_leaves_its_number(client: Client, superuser):
    about = record()
    row = factories.item_result(factories.run(), about)
    number = about.pk
    about.delete()
    assert f"record {number}" in page(client, row)


def test_what_no_run_asked_for_is_direct_or_of_a_schedule(client: Client, superuser):
    direct, scheduled = factories.result(), factories.result(periodic_task_name="Nightly")
    assert listed(client, source="direct") == [direct.pk]
    assert listed(client, source="schedule") == [scheduled.pk]
    assert "Nightly" in page(client, scheduled)


def test_an_id_that_only_looks_like_that_of_an_item_is_no_error(client: Client, superuser):
    factories.result(task_id="a" * 32 + "-99999999999999999999999")
    factories.result(task_id="a" * 32 + "-7")
    assert len(listed(client)) == 2


def test_a_row_says_what_came_of_it_in_words_and_of_what_has_not_ended_nothing(client: Client, superuser):
    run = factories.run(requester=superuser)
    rows = [
        factories.item_result(run, record(), meta=json.dumps({"run": run.pk, "outcome": "corrected: 2 issues"})),
        factories.item_result(run, record(), meta=json.dumps({"run": run.pk, "outcome": "x" * 5_000})),
        factories.failure("no such town"),
        factories.result("STARTED", result='"half"'),
    ]
    answer = client.get(LIST)
    assert re.findall(r'field-outcome.*?title="([^"]*)"', answer.text) == [
        "",
        "ValueError: no such town",
        str(json.loads(rows[1].result)),
        "correctable: 2 issues",
    ]
    assert "correctable: 2 issues" in page(client, rows[0])


# --- filters and search


def test_rows_are_filtered_by_state_task_worker_source_and_requester(client: Client, superuser):
    run = factories.run(requester=superuser)
    wanted = factories.item_result(run, record(), status="FAILURE", worker="celery@north")
    factories.result()
    assert listed(client, state="FAILURE") == [wanted.pk]
    assert listed(client, task="records.tasks.process_model_instance") == [wanted.pk]
    assert listed(client, worker="north") == [wanted.pk]
    assert listed(client, source="action") == [wanted.pk]
    assert listed(client, requester=superuser.get_username()) == [wanted.pk]
    assert listed(client, requester="nobody") == []


def test_rows_are_filtered_by_day(client: Client, superuser):
    rows = {days: factories.result() for days in (0, 3, 10)}
    for days, row in rows.items():
        at = timezone.now() - timedelta(days=days)
        TaskResult.objects.filter(pk=row.pk).update(date_done=at, date_created=at)

    def day(days: int) -> str:
        return (timezone.localdate() - timedelta(days=days)).isoformat()

    assert listed(client, day="today") == [rows[0].pk]
    assert listed(client, day="week") == [rows[3].pk, rows[0].pk]
    assert listed(client, since=day(10), until=day(10)) == [rows[10].pk]
    assert listed(client, until=day(1)) == [rows[10].pk, rows[3].pk]
    assert listed(client, until=day(400)) == []


@pytest.mark.parametrize(
    "query",
    [
        {"since": "tomorrow"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"until": "2026-02-31"},
        {"before": "x"},
        {"after": "9" * 30},
        {"p": "7"},
        {"o": "1.-2"},
        {"all": ""},
        {"_facets": "True"},
        {"q": "9" * 40},
        {"day": "never"},
    ],
    ids=str,
)
def test_no_query_is_an_error_page(client: Client, superuser, query: dict[str, str]):
    factories.result()
    listed(client, **query)


def test_tasks_to_choose_from_are_those_of_the_project(client: Client, superuser):
    text = client.get(LIST).text
    assert "records.tasks.long_running_task" in text
    assert "celery.backend_cleanup" not in text


def test_a_task_id_is_found_exactly(client: Client, superuser):
    wanted = factories.result()
    factories.result()
    assert listed(client, q=f" {wanted.task_id} ") == [wanted.pk]
    assert listed(client, q=wanted.task_id[:-1]) == []


def test_a_record_is_found_by_reference_and_by_number(client: Client, superuser):
    about = record(reference="ABC-9")
    rows = [factories.item_result(factories.run(), about) for _ in range(2)]
    factories.item_result(factories.run(), record())
    expected = [row.pk for row in reversed(rows)]
    assert listed(client, q="ABC-9") == expected
    assert listed(client, q="abc-9") == expected
    assert listed(client, q=str(about.pk)) == expected


def test_a_record_that_the_person_may_not_see_is_not_found(client: Client):
    client.force_login(user("django_celery_results.view_taskresult"))
    factories.item_result(factories.run(), record(reference="SECRET-2"))
    assert listed(client, q="SECRET-2") == []


def test_all_of_a_run_is_found_by_its_uid(client: Client, superuser):
    run = factories.run()
    rows = [factories.item_result(run, record()) for _ in range(3)]
    factories.item_result(factories.run(), record())
    assert listed(client, q=run.uid) == [row.pk for row in reversed(rows)]


# --- pages


def test_pages_follow_each_other_without_a_gap_in_both_directions(client: Client, superuser):
    rows = [factories.result() for _ in range(120)]
    expected = [row.pk for row in reversed(rows)]
    seen, url, pages = [], LIST, []
    while url:
        cl = client.get(url).context["cl"]
        pages.append([row.pk for row in cl.result_list])
        seen += pages[-1]
        url = LIST + cl.paginator.older_url if cl.paginator.older_url else ""
        newer = cl.paginator.newer_url
    assert seen == expected
    assert [len(numbers) for numbers in pages] == [50, 50, 20]
    assert [row.pk for row in client.get(LIST + newer).context["cl"].result_list] == pages[1]


def test_nothing_is_counted_and_nothing_is_skipped_over(client: Client, superuser, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    run = factories.run(requester=superuser)
    for _ in range(60):
        factories.item_result(run, record())
    client.get(LIST)
    with CaptureQueriesContext(connection) as queries, django_assert_max_num_queries(12):
        client.get(LIST, {"state": "SUCCESS"})
    for query in queries.captured_queries:
        assert not any(word in query["sql"].upper() for word in ("COUNT(", "OFFSET", "DISTINCT")), query["sql"]


def test_long_columns_stay_in_the_database_until_a_page_shows_them(client: Client, superuser):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    factories.result()
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST)
    assert not [query for query in queries.captured_queries if '"traceback"' in query["sql"]]


def test_a_look_that_takes_too_long_stops_and_offers_to_go_on(client: Client, superuser, monkeypatch):
    rows = [factories.result(worker="rare" if number == 0 else "celery@test") for number in range(60)]
    monkeypatch.setattr(keyset, "WINDOW", 10)
    monkeypatch.setattr(keyset, "BUDGET", 0)
    url, looks, found = f"{LIST}?worker=rare", 0, []
    while not found:
        cl = client.get(url).context["cl"]
        found, looks = [row.pk for row in cl.result_list], looks + 1
        if not found:
            assert cl.paginator.stopped
            url = LIST + cl.paginator.older_url
    assert found == [rows[0].pk]
    assert looks == 6


def test_a_new_filter_begins_at_the_newest_page(client: Client, superuser):
    row = factories.result()
    text = client.get(LIST, {"before": str(row.pk + 1), "state": "SUCCESS"}).text
    assert 'name="before"' not in text
