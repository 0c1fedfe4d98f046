"""Task results, group results and the activity log: nobody writes them, by whatever route."""

import pytest
from django.test import Client
from django_celery_results.models import GroupResult, TaskResult

from backoffice.results.activity import log
from backoffice.results.models import Activity
from tests.desk import factories
from tests.factories import user

pytestmark = pytest.mark.django_db

ADMINS = {
    TaskResult: ("django_celery_results/taskresult", factories.result),
    GroupResult: ("django_celery_results/groupresult", factories.group_result),
    Activity: ("results/activity", lambda: log("anna", "run.started", "Run 1")),
}


def all_permissions(name: str, verbs: tuple[str, ...] = ("view", "add", "change", "delete")) -> list[str]:
    app, model = name.split("/")
    return [f"{app}.{verb}_{model}" for verb in verbs]


@pytest.fixture(params=ADMINS, ids=lambda model: model.__name__)
def case(request):
    name, make = ADMINS[request.param]
    return request.param, name, make()


def state_of(model) -> list[dict]:
    return list(model.objects.order_by("pk").values())


@pytest.mark.parametrize("superuser", [True, False], ids=["superuser", "all permissions"])
def test_nobody_writes_by_any_route(client: Client, case, superuser: bool):
    model, name, row = case
    who = user(is_superuser=True) if superuser else user(*all_permissions(name))
    client.force_login(who)
    before = state_of(model)
    base = f"/admin/{name}/"
    fields = {"status": "SUCCESS", "task_id": "x", "group_id": "x", "actor": "x", "verb": "x", "_save": "1"}
    bulk = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes", "index": "0"}
    posts = [
        (f"{base}add/", fields),
        (f"{base}{row.pk}/change/", fields),
        (f"{base}{row.pk}/delete/", {"post": "yes"}),
        (base, bulk),
        (base, bulk | {"select_across": "1"}),
        (base, {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": row.pk, "_save": "1"}),
    ]
    for url, data in posts:
        assert client.post(url, data).status_code == 403, url
    for url in (f"{base}add/", f"{base}{row.pk}/delete/"):
        assert client.get(url).status_code == 403, url
    for method in (client.put, client.patch, client.delete):
        assert method(base).status_code in (403, 405)
    assert state_of(model)[: len(before)] == before


def test_holders_of_the_view_permission_read_list_and_page(client: Client, case):
    model, name, row = case
    client.force_login(user(*all_permissions(name, ("view",))))
    assert client.get(f"/admin/{name}/").status_code == 200
    answer = client.get(f"/admin/{name}/{row.pk}/change/")
    assert answer.status_code == 200
    assert 'name="_save"' not in answer.text


def test_staff_without_permission_read_nothing(client: Client, case):
    model, name, row = case
    client.force_login(user())
    for url in (f"/admin/{name}/", f"/admin/{name}/{row.pk}/change/", f"/admin/{name}/{row.pk}/history/"):
        assert client.get(url).status_code in (302, 403), url


def test_anonymous_visitors_are_sent_to_the_login_page(client: Client, case):
    model, name, row = case
    for url in (f"/admin/{name}/", f"/admin/{name}/{row.pk}/change/", f"/admin/{name}/{row.pk}/delete/"):
        assert "/admin/login/" in client.get(url)["Location"]


def test_a_row_that_does_not_exist_is_no_error_page(client: Client, case):
    model, name, row = case
    client.force_login(user(is_superuser=True))
    for pk in ("999999", "abc", "9" * 30):
        assert client.get(f"/admin/{name}/{pk}/change/").status_code in (302, 404)
