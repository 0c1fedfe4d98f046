"""What does not fit together is named before anybody presses a button, with what to do."""

import re

import pytest
from celery import current_app
from django.contrib import admin
from django.core.checks import run_checks

from backoffice.runs.seam import record_task, run_action
from backoffice.schedules.pages.later_action import later_action
from records.tasks import add
from tests.second.admin import InvoiceAdmin
from tests.second.models import Invoice
from tests.second.tasks import tax_invoice

TASK, ADMIN = "tests.second.tasks.tax_invoice", "tests.second.admin.InvoiceAdmin"


def told(*ids: str) -> list[str]:
    """The messages with these numbers, each with its advice."""
    return [f"{message.msg} {message.hint or ''}" for message in run_checks(tags=["runs"]) if message.id in ids]


def actions(monkeypatch, *made) -> None:
    monkeypatch.setattr(InvoiceAdmin, "actions", made)


def test_what_is_shipped_fits_together():
    found = told("runs.E012", "runs.W013", "runs.E014", "runs.E015")
    assert [message for message in found if "records." in message or "tests.second" in message] == []


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ("second.chnage_invoice", "Did you mean 'second.change_invoice'?"),
        ("secnd.change_invoice", "Did you mean 'second.change_invoice'?"),
        ("change_invoice", "Did you mean 'second.change_invoice'?"),
        ("auth.fly", "Meta.permissions"),
        (("second.change_invoice",), "Did you mean 'second.change_invoice'?"),
        (["second.change_invoice"], "Did you mean 'second.change_invoice'?"),
    ],
)
def test_a_permission_that_nobody_can_have_is_named_wherever_it_is_asked_for(monkeypatch, given, advice):
    monkeypatch.setattr(tax_invoice, "permission", given)
    (message,) = told("runs.E012")
    assert message.startswith(f"{TASK} asks for the permission {given!r}, and there is none of that name.")
    assert advice in message


@pytest.mark.parametrize("make", [run_action, later_action])
def test_so_is_one_that_an_action_or_a_schedulable_task_asks_for(monkeypatch, make):
    actions(monkeypatch, make("tax_invoice", "tax_selected", "Tax", "second.tax_invoice"))
    monkeypatch.setattr(add, "schedulable", "records.ad_yourmodel")
    found = told("runs.E012")
    assert found[1].startswith("records.tasks.add asks for the permission 'records.ad_yourmodel'")
    assert found[0].startswith(f"The action 'tax_selected' of {ADMIN} asks for the permission 'second.tax_invoice'")


def test_every_permission_that_migrate_makes_is_known(db):
    from django.contrib.auth.models import Permission

    from backoffice.runs.checks.declared import permissions_there_are

    made = {f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")}
    assert set(permissions_there_are()) == made


def test_a_task_that_names_no_permission_is_told_whose_it_is(monkeypatch):
    monkeypatch.setattr(tax_invoice, "permission", "")
    (message,) = (message for message in told("runs.W013") if message.startswith(TASK))
    assert message.startswith(f"{TASK} names no permission: only superusers may start it.")
    assert 'permission="second.change_invoice"' in message


@pytest.mark.parametrize("make", [run_action, later_action])
def test_an_action_for_a_task_that_is_not_there_is_named(monkeypatch, make, admin_client):
    actions(monkeypatch, make("tax_invocie", "tax_selected", "Tax"))
    (message,) = told("runs.E014")
    assert message.startswith(f"The action 'tax_selected' of {ADMIN} starts nothing. There is no record task")
    assert TASK in message
    page = admin_client.get("/admin/second/invoice/")
    assert page.status_code == 200
    assert b"tax_selected" not in page.content


def test_so_is_one_whose_name_could_be_two_tasks(monkeypatch):
    monkeypatch.setitem(current_app.tasks, "elsewhere.tax_invoice", tax_invoice)
    assert "More than one record task is called 'tax_invoice'" in told("runs.E014")[0]


def test_so_is_one_that_starts_a_task_on_other_records_than_its_list_has(monkeypatch):
    actions(monkeypatch, run_action("poke", "poke_selected", "Poke"))
    (message,) = told("runs.E015")
    assert message.startswith(
        f"The action 'poke_selected' of {ADMIN} starts tests.probe.tasks.poke, which works on probe.Probe and not on "
        "second.Invoice."
    )


def test_actions_by_name_and_of_the_site_are_looked_at(monkeypatch):
    monkeypatch.setattr(InvoiceAdmin, "tax_all", run_action("nope", "tax_all", "Tax"), raising=False)
    actions(monkeypatch, "tax_all", "not_there")
    assert "'tax_all'" in told("runs.E014")[0]
    assert admin.site.is_registered(Invoice)


def test_a_task_that_writes_the_key_is_named(monkeypatch):
    monkeypatch.setattr(tax_invoice, "writes", ("id", "gross"))
    (message,) = told("runs.E007")
    assert message.startswith(f"{TASK} writes the field 'id' of second.Invoice, which is the key")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"permision": "probe.change_probe"}, "no option 'permision'. Did you mean 'permission'?"),
        ({"writes_elswhere": True}, "no option 'writes_elswhere'. Did you mean 'writes_elsewhere'?"),
        ({"autoretry_for": (ValueError,)}, "no option 'autoretry_for'."),
    ],
)
def test_a_misspelt_option_of_a_record_task_is_refused(option, said):
    with pytest.raises(TypeError, match=re.escape(said)):
        record_task("probe.Probe", writes=("result",), **option)
    record_task("probe.Probe", writes=("result",), rate_limit="5/s")
