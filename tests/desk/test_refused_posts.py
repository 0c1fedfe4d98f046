"""Whoever may only look is refused at every door that writes, whether there was anything to do or not."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import get_resolver

from backoffice.desk.failures import failures
from backoffice.desk.models import RetentionPolicy
from backoffice.results.models import Activity
from backoffice.runs.models import Run
from tests.desk import factories
from tests.factories import member, record, user
from tests.schedules.factories import row

pytestmark = pytest.mark.django_db
# What an auditor may do: sign in and out, a password of their own, a comparison, notices, a search.
OWN = {
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "desk_agreement",
    "desk_kept",
    "notices",
    "notices_choice",
}
LOOKED_AT = ("index", "search", "_changelist", "_history", "_export", "_live", "_changes", "_progress", "_status")
FIELDS = {"post": "yes", "reason": "x", "name": "x", "_save": "1"}


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(member("Auditor"))
    return client


def numbers() -> dict[str, Any]:
    """A row of each that an auditor sees, by the model whose page an address is of."""
    run = factories.run(requester=user(), failed=1)
    return {
        "runs_run": run.pk,
        "taskresult": factories.item_result(run, record(), status="FAILURE").pk,
        "records_yourmodel": record().pk,
        "periodictask": row().pk,
        "activity": Activity.objects.create(actor="x", verb="run.started").pk,
        "retentionpolicy": RetentionPolicy.objects.values_list("pk", flat=True)[0],
    }


def addresses() -> Iterator[tuple[str, str, list[str]]]:
    resolver = get_resolver().namespace_dict["admin"][1]
    for name in sorted(filter(lambda name: isinstance(name, str), resolver.reverse_dict)):
        (path, parameters), *_others = resolver.reverse_dict.getlist(name)[0][0]
        yield name, path, parameters


def test_an_auditor_s_post_is_answered_with_403_at_every_address(auditor):
    there, let_through = numbers(), {}
    factories.failure("bad", task_name="somebody.s")
    (group,) = (each for each in failures.groups(user(is_superuser=True)).groups if each.is_calls)
    before = Run.objects.values().get()
    for name, path, parameters in addresses():
        if name in OWN or name.endswith(LOOKED_AT):
            continue
        pk = next((pk for model, pk in there.items() if model in name), 1)
        words = {"label": "records.yourmodel", "fingerprint": group.fingerprint, "action": "process_selected"}
        url = "/admin/" + path % {each: words.get(each, pk) for each in parameters}
        status = auditor.post(url, FIELDS).status_code
        if status not in (403, 404, 405):
            let_through[name] = status
    assert let_through == {}
    assert Run.objects.values().get() == before


def test_an_action_that_is_not_theirs_is_answered_with_403_in_every_list(auditor, django_user_model):
    request = RequestFactory().get("/")
    request.user = django_user_model(is_superuser=True, is_active=True, is_staff=True)
    let_through, tried = [], set()
    for model, model_admin in admin.site._registry.items():
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for action in model_admin.get_actions(request):
            answer = auditor.post(url, {"action": action, "_selected_action": ["1"], "index": "0", "post": "yes"})
            tried.add(action)
            if answer.status_code != 403 and action != "export_selected":
                let_through.append((url, action, answer.status_code))
    assert let_through == []
    assert {"accept_issues", "process_later", "delete_selected", "edit_selected", "export_selected"} <= tried
