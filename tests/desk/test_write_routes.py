"""Whatever the system writes is written by no person: every route of it, tried as each group."""

from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from django_celery_results.models import GroupResult, TaskResult

from backoffice.notices.models import Notice
from backoffice.results.activity import log
from backoffice.results.cancel import request_cancel
from backoffice.results.models import Activity, CancelRequest, UntoldResult
from backoffice.runs.models import Chunk, Run, RunItem, TaskName, Worker
from tests.desk import factories
from tests.factories import member, record, user

pytestmark = pytest.mark.django_db
WRITTEN_BY_THE_SYSTEM = (
    TaskResult, GroupResult, Activity, CancelRequest, UntoldResult, Run, RunItem, Chunk, Worker, TaskName, Notice,
)  # fmt: skip
GROUPS = ("Operator", "Scheduler", "Auditor", "no group", "anonymous")
FIELDS = {
    "status": "SUCCESS", "state": "SUCCESS", "task_id": "x", "group_id": "x", "actor": "x", "verb": "x", "name": "x",
    "requested_by": "x", "worker": "x", "_save": "1", "post": "yes", "requester_name": "x", "task": "1",
}  # fmt: skip


@pytest.fixture
def rows() -> dict[str, Any]:
    """One row of each, of somebody else's run that has ended and can be neither cancelled nor retried by strangers."""
    run = factories.run(requester=user(), failed=1)
    result = factories.item_result(run, record(), status="FAILURE")
    request_cancel(result.task_id, "anna")
    UntoldResult.objects.create(task_id="untold")
    chunk = Chunk.objects.create(run=run, first=1, last=1, size=1)
    made = (result, factories.group_result(), log("anna", "run.started", run), CancelRequest.objects.get(), run, chunk)
    return {row._meta.label_lower: row for row in (*made, factories.worker(), run.task)}


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows but what the refusals themselves add to the log."""
    found = {model.__name__: list(model._base_manager.order_by("pk").values()) for model in WRITTEN_BY_THE_SYSTEM}
    found["Activity"] = [row for row in found["Activity"] if row["verb"] not in ("access.refused", "login.succeeded")]
    return found


def sign_in(client: Client, group: str) -> None:
    if group != "anonymous":
        client.force_login(user() if group == "no group" else member(group))


def routes(app: str, model: str, pk: object) -> list[str]:
    """Whatever a model admin could answer to, whether it is registered or not."""
    base = f"/admin/{app}/{model}/"
    return [base, f"{base}add/", *(f"{base}{pk}/{page}/" for page in ("change", "delete", "history")), f"{base}{pk}/"]


def attacks(model: type, row: Any) -> list[tuple[str, dict[str, Any]]]:
    pk = row.pk if row is not None else 1
    app, name = model._meta.app_label, model._meta.model_name
    actions = ["delete_selected", *(admin.site._registry[model].actions or () if model in admin.site._registry else ())]
    bulk = {"_selected_action": [pk], "post": "yes", "index": "0", "select_across": "1"}
    inline = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": pk, **FIELDS}
    base = f"/admin/{app}/{name}/"
    posts = [(url, FIELDS) for url in routes(app, name, pk)]
    posts += [(base, bulk | {"action": getattr(action, "__name__", action)}) for action in actions]
    return [*posts, (base, inline)]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("model", WRITTEN_BY_THE_SYSTEM, ids=lambda model: model.__name__)
def test_nothing_is_changed_by_any_route_of_a_model(client: Client, rows, model, group: str):
    sign_in(client, group)
    before = everything()
    for url, data in attacks(model, rows.get(model._meta.label_lower)):
        assert client.post(url, data).status_code < 500, url
    for method in (client.put, client.patch, client.delete):
        assert method(url, FIELDS).status_code < 500
    assert everything() == before


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_changed_by_the_addresses_beside_them(client: Client, rows, group: str):
    """Every named admin address of the wings that takes an id: cancel, retry, evidence, text, status ..."""
    sign_in(client, group)
    before, result, run = everything(), rows["django_celery_results.taskresult"], rows["runs.run"]
    asked = set()
    for name, path in own_addresses():
        if name == "desk_agreement" and group == "Auditor":
            continue  # may ask for a comparison, which is all that this writes
        pk = result.pk if "taskresult" in name else run.pk
        if name.endswith("run_cancel") and group == "Operator":
            pk = 10**9  # may cancel runs of their own; that others' stay is tested with the runs
        url = "/admin/" + fill(path, pk)
        assert client.post(url, FIELDS).status_code < 500, url
        asked.add(name)
    assert everything() == before
    assert {"runs_run_cancel", "runs_run_retry", "desk_taskresult_cancel", "desk_failures"} <= asked


def own_addresses() -> list[tuple[str, str]]:
    """By name, those of runs and the desk that are not a model admin's standard ones; the path with its parameters."""
    resolver = get_resolver().namespace_dict["admin"][1]
    found = {name: resolver.reverse_dict.getlist(name) for name in resolver.reverse_dict if isinstance(name, str)}
    return [
        (name, possible[0][0][0])
        for name, possible in sorted(found.items())
        if name.startswith(("runs_run_", "desk_")) and not name.startswith("desk_retentionpolicy")
    ]


def fill(path_and_parameters: Any, pk: int) -> str:
    path, parameters = path_and_parameters if isinstance(path_and_parameters, tuple) else (path_and_parameters, [])
    words = {"label": "records.yourmodel", "fingerprint": "abc", "task_id": "x", "name": "result"}
    return path % {name: words.get(name, pk) for name in parameters}


def test_each_group_is_tried():
    call_command("loaddata", "groups", verbosity=0)
    from django.contrib.auth.models import Group

    assert set(Group.objects.values_list("name", flat=True)) == set(GROUPS[:3])
