"""The pages of the failure groups: the list, one group, and its retry."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View

from backoffice.runs.failing.dismissing import NoReason
from backoffice.runs.models import Run
from backoffice.runs.pages.confirmation.click import form_token
from backoffice.runs.parameters import BadParameters
from backoffice.runs.start import EmptySelection

from ..audit.origin import find_records
from ..parts.links import admin_url
from . import failed_calls, failures

SHOWN_GROUPS = 100
SHOWN_FAILURES = 50
NOTHING_LEFT = gettext_lazy("All of these calls that can be repeated were run again already.")
NONE_STANDS = gettext_lazy("No failure of that kind stands among the newest ones, or none is yours to see.")
NOT_KEPT = gettext_lazy(
    "The arguments of these calls were not kept exactly, or do not fit the task any more: only their callers can run "
    "them again."
)


@dataclass(frozen=True, slots=True)
class Line:
    failure: failures.Failure
    record: str
    record_url: str
    run_url: str


class FailuresView(View):
    admin_site: Any = None
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        found = failures.groups(request.user, words)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Failures"),
            "words": words,
            "groups": found.groups[:SHOWN_GROUPS],
            "more": max(0, len(found.groups) - SHOWN_GROUPS),
            "found": found,
        }
        return TemplateResponse(request, "backoffice/failures.html", context)


class Gone(Exception):
    """Nothing of this kind stands, or is this person's to see."""


class FailureGroupView(View):
    admin_site: Any = None
    http_method_names = ["get", "head", "post"]

    def group(self, request: HttpRequest, fingerprint: str) -> failures.Group:
        found = failures.one(request.user, fingerprint)
        if found is None:
            raise Gone
        return found

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """What was settled meanwhile has no page any more: whoever comes back to it is told so on the list."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except Gone:
            messages.info(request, NONE_STANDS)
            return HttpResponseRedirect(reverse("admin:desk_failures"))

    def get(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        group = self.group(request, fingerprint)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Failures: %s") % (group.kind or group.message),
            "group": group,
            "more": max(0, group.count - SHOWN_FAILURES),
            **(self.of_calls(request, group) if group.is_calls else self.of_records(request, group)),
        }
        template = "backoffice/failed_calls.html" if group.is_calls else "backoffice/failure_group.html"
        return TemplateResponse(request, template, context)

    def of_records(self, request: HttpRequest, group: failures.Group) -> dict[str, Any]:
        gone = sum(map(len, failures.gone(request.user, group).values()))
        return {
            "retryable": len(failures.retryable(request.user, failures.latest(group))),
            "dismissable": gone,
            "lines": lines(group.failures[:SHOWN_FAILURES], request.user),
            "token": uuid4().hex,
        }

    def of_calls(self, request: HttpRequest, group: failures.Group) -> dict[str, Any]:
        done, refusal = (
            failed_calls.run_again_already(group.fingerprint),
            failed_calls.refusal(request.user, group.task),
        )
        calls = [] if refusal else failed_calls.repeatable(group.task, group.failures, done)
        if not refusal and not calls:
            refusal = str(NOTHING_LEFT if done else NOT_KEPT)
        return {
            "refusal": refusal,
            "calls": calls[: failed_calls.AT_ONCE],
            "more_calls": max(0, len(calls) - failed_calls.AT_ONCE),
            "dismissable": group.count if failed_calls.may_dismiss(request.user) else 0,
            "is_confirming": "again" in request.GET and bool(calls),
            "lines": [(call, call.task_id in done) for call in group.failures[:SHOWN_FAILURES]],
        }

    def post(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        group = self.group(request, fingerprint)
        if "dismiss" in request.POST:
            return self.dismiss(request, group)
        return self.run_again(request, group) if group.is_calls else self.retry(request, group)

    def retry(self, request: HttpRequest, group: failures.Group) -> HttpResponse:
        if not failures.retryable(request.user, group.failures):
            raise PermissionDenied
        try:
            with transaction.atomic():
                run = failures.retry(group, request.user, form_token(request))
        except (EmptySelection, BadParameters) as error:
            messages.warning(request, str(error))
            return HttpResponseRedirect(reverse("admin:desk_failure_group", args=[group.fingerprint]))
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))

    def dismiss(self, request: HttpRequest, group: failures.Group) -> HttpResponse:
        if group.is_calls and not failed_calls.may_dismiss(request.user):
            raise PermissionDenied
        if not group.is_calls and not failures.gone(request.user, group):
            raise PermissionDenied
        try:
            number = (failed_calls if group.is_calls else failures).dismiss(
                group, request.user, request.POST.get("reason", "")
            )
        except NoReason as error:
            messages.warning(request, str(error))
        else:
            told = ngettext("%s failure dismissed.", "%s failures dismissed.", number) % f"{number:,}"
            messages.success(request, told)
        return HttpResponseRedirect(reverse("admin:desk_failure_group", args=[group.fingerprint]))

    def run_again(self, request: HttpRequest, group: failures.Group) -> HttpResponse:
        if failed_calls.refusal(request.user, group.task):
            raise PermissionDenied
        sent, wanted = failed_calls.run_again(group, request.user)
        if sent < wanted:
            said = ngettext(
                "The message broker did not take the call. Try again when it is back.",
                "The message broker took %(sent)d of %(wanted)d calls. Try the rest again when it is back.",
                wanted,
            )
            messages.error(request, said % {"sent": sent, "wanted": wanted})
        elif sent:
            messages.success(request, _("Calls run again: %d. Their results appear in the task results.") % sent)
        else:
            messages.warning(request, NOTHING_LEFT)
        return HttpResponseRedirect(reverse("admin:desk_failure_group", args=[group.fingerprint]))


def lines(shown: list[failures.Failure], user: Any) -> list[Line]:
    runs = Run.objects.select_related("record_type", "task").in_bulk({failure.run_id for failure in shown})
    pairs = [(runs[failure.run_id], failure.record_id) for failure in shown if failure.run_id in runs]
    records = find_records(pairs, user)
    found = []
    for failure in shown:
        run = runs.get(failure.run_id)
        record = records.get((run.record_type_id, failure.record_id)) if run else None
        name = str(record) if record else _("record %s") % failure.record_id
        found.append(Line(failure, name, admin_url(record) if record else "", admin_url(run) if run else ""))
    return found
