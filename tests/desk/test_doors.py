"""Who may start a record task: what the task asks for, at whatever door; an action asks for more or the same."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from backoffice.desk.failures import failures
from backoffice.runs.models import Run
from backoffice.runs.seam import retry, run_action, start
from backoffice.runs.start import activate
from backoffice.schedules import owner, scheduled
from backoffice.schedules.models import Firing
from backoffice.schedules.pages.later_action import later_action
from backoffice.testing import work_off
from tests.desk.factories import failure
from tests.factories import user
from tests.runs.clicks import INVOICES, invoices
from tests.schedules import factories
from tests.second.admin import InvoiceAdmin
from tests.second.models import Invoice
from tests.second.tasks import tax_invoice

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "tests.second.tasks.tax_invoice"
OWN, ACTIONS = "second.change_invoice", "second.add_invoice"
AROUND = (
    *("second.view_invoice", "runs.view_run", "runs.retry_run", "django_celery_results.view_taskresult"),
    *factories.SCHEDULER,
)
SCHEDULES, NEW_SCHEDULE = "/admin/django_celery_beat/periodictask/", "/admin/django_celery_beat/periodictask/add/"
HELD = {"neither": (), "the action's": (ACTIONS,), "the task's": (OWN,), "both": (OWN, ACTIONS)}


@pytest.fixture(autouse=True)
def actions(monkeypatch) -> None:
    """Both ask for a permission that the task does not ask for."""
    asked = (
        run_action("tax_invoice", "tax_selected", "Tax", ACTIONS),
        later_action("tax_invoice", "tax_later", "Tax later", ACTIONS),
    )
    monkeypatch.setattr(InvoiceAdmin, "actions", asked)


def post(client: Client, url: str, **data: Any) -> int:
    return client.post(url, data).status_code


def failed_run(monkeypatch) -> Run:
    invoices(2)
    with monkeypatch.context() as broken:
        broken.setattr(tax_invoice, "body", lambda invoice: 1 / 0)
        return work_off(start(Invoice.objects.all(), TASK))


def row(person: Any) -> PeriodicTask:
    made = factories.row(task="backoffice.schedules.tasks.start_scheduled_run", kwargs=json.dumps({"task": TASK}))
    factories.option(made, owner_id=person.pk, owner_name=str(person))
    return made


# --- each gives whether this person got through


def offered_in_the_list(client: Client, person: Any, monkeypatch: Any) -> bool:
    return b'"tax_selected"' in client.get(reverse(INVOICES)).content


def pressed_in_the_list(client: Client, person: Any, monkeypatch: Any) -> bool:
    post(client, reverse(INVOICES), action="tax_selected", index="0", _selected_action=invoices(1))
    return Run.objects.exists()


def asked_when_in_the_list(client: Client, person: Any, monkeypatch: Any) -> bool:
    answer = client.post(reverse(INVOICES), {"action": "tax_later", "index": "0", "_selected_action": invoices(1)})
    return b"due_at" in answer.content


def planned_in_the_list(client: Client, person: Any, monkeypatch: Any) -> bool:
    due_at = f"{timezone.localtime() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    post(client, reverse(INVOICES), action="tax_later", index="0", _selected_action=invoices(1), due_at=due_at)
    return Run.objects.exists()


def filter_scheduled_from_the_list(client: Client, person: Any, monkeypatch: Any) -> bool:
    return b"Schedule this filter" in client.get(reverse(INVOICES)).content


def without_the_mixin(client: Client, person: Any, monkeypatch: Any) -> bool:
    """An admin that offers every action to everybody."""
    every = {action.__name__: (action, action.__name__, "Tax") for action in InvoiceAdmin.actions}
    monkeypatch.setattr(InvoiceAdmin, "get_actions", lambda self, request: every)
    return pressed_in_the_list(client, person, monkeypatch)


def planned_without_the_mixin(client: Client, person: Any, monkeypatch: Any) -> bool:
    without_the_mixin(client, person, monkeypatch)
    Run.objects.all().delete()
    return planned_in_the_list(client, person, monkeypatch)


def button_of_a_record(client: Client, person: Any, monkeypatch: Any) -> bool:
    (pk,) = invoices(1)
    page = client.get(reverse("admin:second_invoice_change", args=[pk])).text
    return reverse("admin:second_invoice_run", args=[pk, "tax_selected"]) in page


def pressed_at_a_record(client: Client, person: Any, monkeypatch: Any) -> bool:
    post(client, reverse("admin:second_invoice_run", args=[*invoices(1), "tax_selected"]))
    return Run.objects.exists()


def started_from_code(client: Client, person: Any, monkeypatch: Any) -> bool:
    invoices(1)
    try:
        return bool(start(Invoice.objects.all(), TASK, by=person))
    except PermissionDenied:
        return False


def due_after_it_was_planned(client: Client, person: Any, monkeypatch: Any) -> bool:
    """Planned while the person still had the right."""
    invoices(1)
    due_at = timezone.now() + timedelta(hours=1)
    run = start(Invoice.objects.all(), TASK, by=str(person), due_at=due_at)
    Run.objects.filter(pk=run.pk).update(requester=person, source=Run.Source.ACTION)
    return activate(run.pk)


def choice_of_the_schedule_form(client: Client, person: Any, monkeypatch: Any) -> bool:
    return f"records:{TASK}" in client.get(NEW_SCHEDULE).text


def saved_schedule(client: Client, person: Any, monkeypatch: Any) -> bool:
    given = {"name": "Mine", "work": f"records:{TASK}", "enabled": "on", "when": "crontab", "missed": "once",
             "crontab_text": "0 2 * * *", "zone": "UTC", "overlap": "skip"}  # fmt: skip
    post(client, NEW_SCHEDULE, **given)
    return PeriodicTask.objects.exists()


def preview_of_a_schedule(client: Client, person: Any, monkeypatch: Any) -> bool:
    invoices(3)
    given = {"work": f"records:{TASK}", "when": "crontab", "crontab_text": "0 2 * * *", "zone": "UTC"}
    return "3 records" in client.post(reverse("admin:schedules_preview"), given).json()["matching"]


def schedule_run_now(client: Client, person: Any, monkeypatch: Any) -> bool:
    picked = [row(user(is_superuser=True)).pk]
    post(client, SCHEDULES, action="run_selected", confirmed="1", _selected_action=picked)
    return Firing.objects.exists()


def schedule_changed(client: Client, person: Any, monkeypatch: Any) -> bool:
    made = row(user(is_superuser=True))
    post(client, SCHEDULES, action="disable_selected", confirmed="1", _selected_action=[made.pk])
    made.refresh_from_db()
    return not made.enabled


def schedule_of_ones_own_fires(client: Client, person: Any, monkeypatch: Any) -> bool:
    invoices(1)
    mine = row(person)
    firing = Firing.objects.create(schedule=mine, schedule_name=mine.name, due_at=timezone.now(), state="sent")
    scheduled.start_run(TASK, {}, schedule_name=mine.name, firing_id=firing.pk)
    assert Run.objects.exists() == (not owner.objection(mine))
    return Run.objects.exists()


def retry_offered(client: Client, person: Any, monkeypatch: Any) -> bool:
    run = failed_run(monkeypatch)
    return (
        reverse("admin:runs_run_retry", args=[run.pk])
        in client.get(reverse("admin:runs_run_change", args=[run.pk])).text
    )


def retry_pressed(client: Client, person: Any, monkeypatch: Any) -> bool:
    post(client, reverse("admin:runs_run_retry", args=[failed_run(monkeypatch).pk]))
    return Run.objects.count() == 2


def retried_from_code(client: Client, person: Any, monkeypatch: Any) -> bool:
    try:
        return bool(retry(failed_run(monkeypatch), by=person))
    except PermissionDenied:
        return False


def own_run_retried(client: Client, person: Any, monkeypatch: Any) -> bool:
    run = failed_run(monkeypatch)
    Run.objects.update(requester=person)
    post(client, reverse("admin:runs_run_retry", args=[run.pk]))
    return Run.objects.count() == 2


def failures_retried(client: Client, person: Any, monkeypatch: Any) -> bool:
    failed_run(monkeypatch)
    (group,) = failures.groups(person).groups
    post(client, reverse("admin:desk_failure_group", args=[group.fingerprint]))
    return Run.objects.count() == 2


def failed_call_run_again(client: Client, person: Any, monkeypatch: Any) -> bool:
    failure("bad", task_name=TASK, task_args="[1]", task_kwargs="{}")
    (group,) = failures.groups(person).groups
    return post(client, reverse("admin:desk_failure_group", args=[group.fingerprint])) == 302


Door = Callable[[Client, Any, Any], bool]
THROUGH_AN_ACTION: tuple[Door, ...] = (
    offered_in_the_list, pressed_in_the_list, asked_when_in_the_list, planned_in_the_list,
    filter_scheduled_from_the_list, without_the_mixin, planned_without_the_mixin, button_of_a_record,
    pressed_at_a_record,
)  # fmt: skip
OTHERS: tuple[Door, ...] = (
    started_from_code, due_after_it_was_planned, choice_of_the_schedule_form, saved_schedule, preview_of_a_schedule,
    schedule_run_now, schedule_changed, schedule_of_ones_own_fires, retry_offered, retry_pressed, retried_from_code,
    own_run_retried, failures_retried, failed_call_run_again,
)  # fmt: skip
doors = pytest.mark.parametrize("door", [*THROUGH_AN_ACTION, *OTHERS], ids=lambda door: door.__name__)


def person_with(client: Client, *permissions: str, **fields: Any) -> Any:
    person = user(*AROUND, *permissions, **fields)
    client.force_login(person)
    return person


@doors
@pytest.mark.parametrize("held", HELD)
def test_every_door_asks_for_the_tasks_permission_and_an_actions_beside_it(client, monkeypatch, door: Door, held: str):
    needed = {OWN, ACTIONS} if door in THROUGH_AN_ACTION else {OWN}
    person = person_with(client, *HELD[held])
    assert door(client, person, monkeypatch) == needed.issubset(HELD[held])


@doors
@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_task_that_names_no_permission_is_the_superusers_at_every_door(client, monkeypatch, door, is_superuser):
    monkeypatch.setattr(tax_invoice, "permission", "")
    person = person_with(client, OWN, ACTIONS, is_superuser=is_superuser)
    assert door(client, person, monkeypatch) == is_superuser
