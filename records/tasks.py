"""The tasks a team replaces with its own, beside the field's usual ones."""

import time

from celery import Task, shared_task
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.results.cancel import cancel_requested
from backoffice.runs.seam import Outcome, Requested, bulk_edit, record_task

from .checks import RULES_VERSION
from .forms import AcceptForm, CorrectAndCheckForm, CorrectionsForm, WithdrawForm
from .models import YourModel


@record_task(
    "records.YourModel",
    reads=(*YourModel.INPUTS, "accepted"),
    writes=YourModel.RESULTS,
    permission="records.process_yourmodel",
    label=_("Process"),
    needs=Q(processed=False) | ~Q(rules_version=RULES_VERSION),
)
def process_model_instance(instance: YourModel) -> Outcome:
    """Check and normalise one record."""
    return instance.process()


@record_task(
    "records.YourModel",
    reads=(*YourModel.INPUTS, "issues", "accepted"),
    writes=(*YourModel.INPUTS, "processed"),
    parameters=CorrectionsForm,
    permission="records.apply_corrections_yourmodel",
    label=_("Apply corrections"),
    eligible=Q(processed=True) & ~Q(issues=[]),
    not_eligible=_("without an issue found, or to be processed first"),
)
def apply_corrections(instance: YourModel, *, fields: list[str], severities: list[str]) -> Outcome:
    """Copy the suggestions into the fields of one record."""
    return instance.apply_corrections(fields, severities)


@record_task(
    "records.YourModel",
    reads=(*YourModel.INPUTS, "issues", "accepted"),
    writes=(*YourModel.INPUTS, *YourModel.RESULTS),
    parameters=CorrectAndCheckForm,
    permission="records.apply_corrections_yourmodel",
    label=_("Apply and check"),
    eligible=Q(processed=True) & ~Q(issues=[]),
    not_eligible=_("without an issue found, or to be processed first"),
    includes=("records.tasks.process_model_instance",),
)
def apply_and_check(instance: YourModel, *, fields: list[str], severities: list[str]) -> Outcome:
    """Copy the suggestions into the fields of one record, and check it."""
    applied = instance.apply_corrections(fields, severities)
    checked = instance.process()
    return Outcome(checked.label, f"{applied}; {checked.detail}".removesuffix("; "))


@record_task(
    "records.YourModel",
    reads=(*YourModel.INPUTS, "normalised", "issues", "accepted"),
    writes=("accepted", "issue_codes", "verdict"),
    parameters=AcceptForm,
    reason="required",
    permission="records.accept_issues_yourmodel",
    label=_("Accept issues"),
    eligible=Q(processed=True) & ~Q(issue_codes=""),
    not_eligible=_("without an open issue, or to be processed first"),
)
def accept_issues(instance: YourModel, *, codes: list[str], link: str, requested: Requested) -> Outcome:
    """Settle issues of one record that somebody has looked into: they are right as they are."""
    return instance.accept_issues(codes, link, requested)


@record_task(
    "records.YourModel",
    reads=(*YourModel.INPUTS, "normalised", "issues", "accepted"),
    writes=("accepted", "issue_codes", "verdict"),
    parameters=WithdrawForm,
    reason="optional",
    permission="records.accept_issues_yourmodel",
    label=_("Withdraw acceptance"),
    eligible=Q(accepted__isnull=False),
    not_eligible=_("without an accepted issue"),
)
def withdraw_acceptance(instance: YourModel, *, codes: list[str]) -> Outcome:
    """Open issues of one record again that somebody has accepted."""
    return instance.withdraw_acceptance(codes)


edit_yourmodel = bulk_edit("records.YourModel")


@shared_task(schedulable=True, label=_("Try out: add two numbers"))
def add(x: float, y: float) -> float:
    return x + y


@shared_task(bind=True, listens_for_cancel=True, schedulable=True, label=_("Try out: take a while"))
def long_running_task(self: Task, steps: int = 10) -> str:
    """About a second a step, with progress; stops when Cancel on its result page has written a row."""
    for step in range(steps):
        if cancel_requested(self.request.id):
            return f"Cancelled after {step} of {steps} steps."
        self.update_state(state="PROGRESS", meta={"current": step, "total": steps})
        time.sleep(1)
    return "Long task complete!"
