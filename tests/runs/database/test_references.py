"""Who or what a run names may be deleted at any moment: the click starts its run, and the page that deletes deletes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django_celery_beat.models import PeriodicTask

from backoffice.runs import snapshot, start
from tests.factories import user
from tests.runs.factories import poke_all, probes
from tests.runs.races import begun, beside, held, wait_until_locked
from tests.schedules import factories

pytestmark = pytest.mark.django_db(transaction=True)
NAMED: dict[str, tuple[Callable[[], Any], str]] = {
    "requester": (lambda: user(is_superuser=True), "auth/user"),
    "schedule": (factories.row, "django_celery_beat/periodictask"),
}


@pytest.mark.parametrize("field", NAMED)
def test_a_run_of_what_was_deleted_this_moment_keeps_its_name(field):
    probes(2)
    named = NAMED[field][0]()
    with held(lambda: poke_all(**{field: named, "schedule_name": "as it was called"}), start, "check") as click:
        beside(lambda: type(named).objects.filter(pk=named.pk).delete())
        run = click.finish()
    run.refresh_from_db()
    assert (run.requester_id, run.schedule_id, run.total) == (None, None, 2)
    assert run.schedule_name == "as it was called"
    assert run.requester_name == (str(named) if field == "requester" else "")


@pytest.mark.parametrize("field", NAMED)
@pytest.mark.parametrize("page", ["one", "list"])
def test_a_page_that_deletes_waits_for_the_run_that_names_it(field, page, admin_client, is_sqlite):
    if is_sqlite:
        pytest.skip("SQLite has one writer: nobody deletes in the middle of a click")
    probes(2)
    make, where = NAMED[field]
    named = make()

    def delete() -> int:
        if page == "one":
            return admin_client.post(f"/admin/{where}/{named.pk}/delete/", {"post": "yes"}).status_code
        chosen = {"action": "delete_selected", "_selected_action": [named.pk], "post": "yes"}
        return admin_client.post(f"/admin/{where}/", chosen).status_code

    with held(lambda: poke_all(**{field: named}), snapshot, "write", after=True) as click, begun(delete) as deleting:
        wait_until_locked(deleting)
        run = click.finish()
        assert deleting.result(30) == 302
    run.refresh_from_db()
    assert (run.requester_id, run.schedule_id, run.total) == (None, None, 2)
    assert not User.objects.filter(pk=named.pk).exists() if field == "requester" else not PeriodicTask.objects.exists()
