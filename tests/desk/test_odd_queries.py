"""Every page of the admin, asked for with whatever an address or a form may hold: no answer is an error page."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.desk.parts import documents
from tests.desk import factories
from tests.desk.parts.listed import LISTS, one_of_each, url_of
from tests.factories import record, user
from tests.properties import some, tries

pytestmark = pytest.mark.django_db(transaction=True)
often = settings(
    max_examples=tries(120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
DEEP = 1_500

ODD = [
    "", " ", "abc", "-5", "--5", "5", "0", "-0", "+1", "1e3", "1_0", "1.5", "NaN", "9" * 19, "9" * 40, "-" + "9" * 40,
    "9" * 5000, "\x00", "a\x00b", "１２", "٣", "²",
    "true", "None", "1,2", "1,,2", "'", '"', "\\", "%", "%00",
    "a" * 3000, "a " * 1200, '"' * 400, "2026-13-45", "0001-01-01", "9999-12-31", "..", "<script>",
    "0001-01-01T00:00:00+14:00_1_1",
    "9999-12-31T23:59:59-14:00_2_5", "2026-01-01T00:00:00+00:00_9_99999999999999999", "2026-01-01T00:00:00Z_-1_-1",
    "9999-12-31 23:59:59.999999-23:59", "[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "\u202e", "\ufffd",
    "1.2.3.-1", ".".join(["1", "-2"] * 600), "-", ".", "verdict=review", "\U0001f600",
]  # fmt: skip
LOOKUPS = [
    "",
    "exact",
    "in",
    "isnull",
    "gt",
    "regex",
    "iregex",
    "year",
    "range",
    "date",
    "contains",
    "0__a",
    "id__exact",
]
NAMES = [
    *("q", "p", "o", "e", "all", "_facets", "_popup", "_to_field", "_changelist_filters", "after", "before", "state"),
    *("error", "groups", "known", "again", "day", "since", "until", "who", "kind", "did", "task", "worker", "source"),
    *("requester", "verdict", "country", "issue", "mine", "next", "format", "pk", "name", "selection", "work"),
    *("s", "page", "extended", "term", "of"),
]
values = st.sampled_from(ODD) | st.text(st.characters(codec="utf-8"), max_size=30) | st.integers().map(str)


def names_of(model: Any) -> st.SearchStrategy[str]:
    fields = st.sampled_from([field.name for field in model._meta.get_fields()])
    asked = st.tuples(fields, st.sampled_from(LOOKUPS)).map(lambda pair: "__".join(part for part in pair if part))
    return st.sampled_from(NAMES) | asked


def queries(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(names, values), max_size=4).map(urlencode) | st.binary(max_size=12).map(as_it_came)


def as_it_came(raw: bytes) -> str:
    return "q=" + "".join(f"%{byte:02x}" for byte in raw)


@pytest.fixture
def rows(client: Client) -> dict[str, Any]:
    client.force_login(user(is_superuser=True, username="boss"))
    client.raise_request_exception = False
    return one_of_each()


def fine(answer: Any, *asked: object) -> None:
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code < 500, asked
    if answer.status_code in (400, 404):
        assert b"<html" in text, asked
        assert b"bo-note" in text or b"Back to the desk" in text, asked


@pytest.mark.parametrize("model_admin", LISTS, ids=lambda each: each.model._meta.label)
def test_no_query_of_a_list_is_an_error_page(client: Client, rows, model_admin):
    url = url_of(model_admin)

    @often
    @given(queries(names_of(model_admin.model)))
    def ask(query: str) -> None:
        answer = client.get(f"{url}?{query}")
        fine(answer, query)
        assert not str(answer.get("Location", "")).endswith("e=1")

    ask()


@pytest.mark.parametrize("model_admin", LISTS, ids=lambda each: each.model._meta.label)
def test_no_field_of_an_action_is_an_error_page(client: Client, rows, model_admin):
    actions = [*model_admin.get_actions(request_of(client)), "nonsense", ""]
    url = url_of(model_admin)
    fields = st.sampled_from(
        [
            "_selected_action",
            "select_across",
            "index",
            "form_token",
            "confirmed",
            "due_at",
            "due_at_0",
            "_save",
            "error",
        ]
        + ["form-TOTAL_FORMS", "form-INITIAL_FORMS", "form-0-id"]
    )

    @often
    @given(st.sampled_from(actions), st.lists(st.tuples(fields, values), max_size=5), st.booleans())
    def press(action: str, sent: list[tuple[str, str]], any_row: bool) -> None:
        data: dict[str, list[str]] = {"action": [action], "index": ["0"]}
        if any_row:
            data["_selected_action"] = ["-1"]
        for name, value in sent:
            data.setdefault(name, []).append(value)
        fine(client.post(url, data), action, sent)

    press()


def request_of(client: Client) -> Any:
    return client.get("/admin/").wsgi_request


def pages(rows: dict[str, Any]) -> list[str]:
    """Every named page of the admin that answers GET, with an id where it takes one."""
    resolver = get_resolver().namespace_dict["admin"][1]
    words = {
        "label": "records.yourmodel", "fingerprint": "abc", "task_id": "x", "name": "result", "app_label": "runs",
        "content_type_id": "1", "url": "x",
    }  # fmt: skip
    ids = {"taskresult": rows["result"].pk, "run": rows["run"].pk, "periodictask": rows["schedule"].pk}
    found = []
    for name in (name for name in resolver.reverse_dict if isinstance(name, str) and name != "logout"):
        path, parameters = resolver.reverse_dict.getlist(name)[0][0][0]
        pk = next((pk for kind, pk in ids.items() if f"_{kind}_" in name), 1)
        found.append("/admin/" + path % {each: words.get(each, pk) for each in parameters})
    return sorted(found)


def test_no_query_of_any_other_page_is_an_error_page(client: Client, rows):
    group = client.get("/admin/desk/failures/").context["groups"][0]
    asked = [*pages(rows), f"/admin/desk/failures/{group.fingerprint}/", f"/admin/runs/run/{rows['run'].pk}/change/"]
    assert any("evidence" in page for page in asked)
    assert any("timeline" in page for page in asked)

    @settings(often, max_examples=tries(600))
    @given(st.sampled_from(asked), queries(st.sampled_from(NAMES)))
    def ask(page: str, query: str) -> None:
        fine(client.get(f"{page}?{query}"), page, query)

    ask()


ADDRESSES = ["abc", "9" * 30, "%00", "_5F", "..%2f"]
MORE = ["-5", "1%00", "1e3", "%ff", "a" * 500, "__"]


@pytest.mark.parametrize("pk", [*ADDRESSES, *(pytest.param(each, marks=pytest.mark.long) for each in MORE)])
def test_no_address_of_a_row_is_an_error_page(client: Client, rows, pk: str):
    for model_admin in LISTS:
        for page in (
            "change",
            "delete",
            "history",
            "password",
            "status",
            "cancel",
            "text/result",
            "progress",
            "retry",
            "process",
        ):
            url = url_of(model_admin, f"{pk}/{page}/")
            fine(client.get(url), url)
            fine(client.post(url, {"post": "yes"}), url)


def test_the_search_for_pages_takes_any_page(client: Client, rows):
    for odd in some(ODD):
        fine(client.get("/admin/search/", {"s": "user", "page": odd}), odd)
    assert b"/admin/auth/user/" in client.get("/admin/search/", {"s": "user"}).content


def test_what_a_run_shows_of_its_records_takes_any_cursor(client: Client, rows):
    url = f"/admin/runs/run/{rows['run'].pk}/change/"
    for odd in some(ODD):
        fine(client.get(url, {"after": odd, "error": odd, "state": odd, "groups": odd}), odd)
    for odd in some(ODD):
        fine(client.post(f"/admin/runs/run/{rows['run'].pk}/retry/", {"action": "error", "error": odd}), odd)
        sent = {"action": "selected", "_selected_action": odd, "form_token": odd}
        fine(client.post(f"/admin/runs/run/{rows['run'].pk}/retry/", sent), odd)


@pytest.mark.parametrize("deep", ["[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" * 100_000])
def test_what_is_nested_a_thousand_deep_is_shown_as_it_is(client: Client, rows, deep: str):
    wrapped = json.dumps(deep)
    made = factories.result("FAILURE", task_args=deep, task_kwargs=wrapped, result=deep, meta=deep)
    factories.result("PROGRESS", task_args=wrapped, task_kwargs=deep, result=deep)
    results = "/admin/django_celery_results/taskresult/"
    page = f"{results}{made.pk}/"
    shown = [f"{page}{part}/" for part in ("change", "text/args", "text/kwargs", "status")]
    for url in (*shown, "/admin/", "/admin/desk/failures/", results):
        fine(client.get(url), url)
    for group in client.get("/admin/desk/failures/").context["groups"]:
        fine(client.get(f"/admin/desk/failures/{group.fingerprint}/?again"), group)
        fine(client.post(f"/admin/desk/failures/{group.fingerprint}/", {}), group)
    assert len(documents.pretty(deep)) <= len(deep) + 2


def test_what_is_nested_a_thousand_deep_is_no_schedule(client: Client, rows):
    for deep in ("[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" * 100_000):
        sent = {"name": "Deep", "work": "records.tasks.add", "when": "every", "every": "10", "period": "minutes"}
        sent |= {"arguments": deep, "missed": "once", "overlap": "skip"}
        for url in ("add/", "preview/", f"{rows['schedule'].pk}/change/"):
            answer = client.post(f"/admin/django_celery_beat/periodictask/{url}", sent)
            assert answer.status_code < 500, url
    fine(client.get("/admin/django_celery_beat/periodictask/"))


def test_a_record_s_page_takes_any_cursor(client: Client, rows):
    page = record().pk
    for odd in some(ODD):
        fine(client.get(f"/admin/records/yourmodel/{page}/change/", {"before": odd}), odd)
        fine(client.get(f"/admin/desk/timeline/records.yourmodel/{page}/", {"before": odd}), odd)


def test_every_list_of_the_admin_is_among_these():
    assert {each.model for each in LISTS} == set(admin.site._registry)
