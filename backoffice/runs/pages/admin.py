"""Runs in the admin: a list, and a page on which one is watched."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from .. import access, operations
from ..change import shown, taken_back
from ..failing import dismissing, standing
from ..labels import asked_words, run_heading, run_name, skip_words, what_it_does
from ..models import Run
from ..parameters import BadParameters
from ..start import EmptySelection
from . import items, progress
from .back import with_filters
from .confirmation import undo
from .confirmation.click import form_token
from .listing.runs import RunList
from .numbers import row_number
from .run import bar
from .staff import StaffAdmin

__all__ = ["RunAdmin"]


TRIES = 3  # to read a run and its items as of one moment


@admin.register(Run)
class RunAdmin(RunList, StaffAdmin, ModelAdmin):
    # --- what the system writes is never added, changed or deleted by hand

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """Everybody sees their own runs, holders of the view permission all of them."""
        return obj is None or access.may_see(request.user, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_staff)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return standing.with_settled(super().get_queryset(request).visible_to(request.user))

    # --- one run

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", wrap(self.progress_view), name="runs_run_progress"),
            path("<int:pk>/live/", wrap(self.live_view), name="runs_run_live"),
            path("<int:pk>/changes/", wrap(self.changes_view), name="runs_run_changes"),
            path("<int:pk>/cancel/", wrap(require_POST(self.cancel_view)), name="runs_run_cancel"),
            path("<int:pk>/retry/", wrap(require_POST(self.retry_view)), name="runs_run_retry"),
            path("<int:pk>/undo/", wrap(self.undo_view), name="runs_run_undo"),
            path("<int:pk>/dismiss/", wrap(require_POST(self.dismiss_view)), name="runs_run_dismiss"),
            *super().get_urls(),
        ]

    def seen(self, request: HttpRequest, pk: int | str) -> Any:
        """The run, or 404: whether somebody else's run exists is not told."""
        number = row_number(pk)
        run = (
            progress.with_counts(standing.with_settled(Run.objects.select_related("task"))).filter(pk=number).first()
            if number
            else None
        )
        if run is None or not access.may_see(request.user, run):
            raise Http404(_("There is no run %(pk)s, or it is not yours to see.") % {"pk": pk})
        return run

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(_("A run cannot be edited."), status=405)
        run, page = self.of_one_moment(request, self.seen(request, object_id))
        title = run_heading(run)
        chrome = {**self.admin_site.each_context(request), "opts": self.opts, "original": run, "title": title}
        return TemplateResponse(request, "runs/run.html", chrome | self.moving(request, run, page))

    def live_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What moves on the page of a run, read anew."""
        run, page = self.of_one_moment(request, self.seen(request, pk))
        request.path = request.path_info = reverse("admin:runs_run_change", args=[pk])  # where its links lead back to
        context = self.moving(request, run, page)
        return TemplateResponse(request, "runs/live.html", context, headers={"Cache-Control": "no-store"})

    def of_one_moment(self, request: HttpRequest, run: Any) -> tuple[Any, items.ItemPage]:
        """The run, and the page of its items that agrees with its counts: what workers wrote in between, which takes
        them longer than the reading does, is read again. A transaction would hold up all of SQLite."""
        for _again in range(TRIES):
            run.tallied = list(run.tallies.all())
            page = items.page(run, items.Chosen.by(request.GET), run.tallied, user=request.user)
            before, run = run, run if run.is_finished else self.seen(request, run.pk)
            run.tallied = before.tallied
            if progress.moment(run) == progress.moment(before):
                break
        return run, page

    def moving(self, request: HttpRequest, run: Any, page: items.ItemPage) -> dict[str, Any]:
        since, retries = standing.of_run(run), list(run.retries.select_related("task").order_by("pk")[:20])
        taken_back_by, has_changes = taken_back.chain(run), shown.is_any(run)
        return {
            "run": run,
            "name": run_name(run),
            "task": what_it_does(run),
            "parameters": asked_words(run),
            "skips": skip_words(run.task.name, run.skip_reasons),
            "moving": progress.moving(run),
            "kept": items.Chosen.kept(request.GET),
            "progress": progress.as_json(run),
            "parts": bar.parts(run, run.tallied),
            "groups": bar.groups(run.tallied),
            "page": page,
            "since": since,
            "runs_to_see": runs_to_see(request.user, run, [*retries, *taken_back_by], since, page),
            "retries": retries,
            "has_changes": has_changes,
            "taken_back_by": taken_back_by,
            "stands": taken_back.what_stands(run, taken_back_by),
            "undone_left": run.revoked - run.conflicts,
            "may_undo": has_changes and run.is_finished and access.may_undo(request.user, run),
            "may_cancel": access.may_cancel(request.user, run),
            "may_retry": access.may_retry(request.user, run) and (since.retryable > 0 or not since.is_all),
            "may_dismiss": since.gone > 0 and access.may_dismiss(request.user, run),
        }

    def changes_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What was in the fields, and is since: to be read by who may look at the records."""
        run = self.seen(request, pk)
        model = run.record_type.model_class()
        may_look = model is not None and access.may_see_records(request.user, model)
        field, after = request.GET.get("field", ""), row_number(request.GET.get("after"))
        page = shown.page(run, field, after)
        names = items.named(run, [row.record_id for row in page.rows], request.user)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": run,
            "title": _("What changed in %s") % run_heading(run),
            "run": run,
            "fields": shown.by_field(run, whole=request.GET.get("fields") == "all"),
            "page": page,
            "lines": [
                (*names[row.record_id], shown.in_words(model, row), self.undo_url(request, run, row.record_id))
                for row in (page.rows if may_look else ())
            ],
            "may_look": may_look,
        }
        return TemplateResponse(request, "runs/changes.html", context)

    def undo_url(self, request: HttpRequest, run: Run, record_id: int) -> str:
        """Where it is undone in one record; "" where it cannot be."""
        if not (run.is_finished and access.may_undo(request.user, run)):
            return ""
        here = f"record={record_id}&{undo.FROM}={undo.CHANGES}"
        return with_filters(request, f"{reverse('admin:runs_run_undo', args=[run.pk])}?{here}")

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return undo.answered(self, request, self.seen(request, pk))

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        run = self.seen(request, pk)
        run.tallied = list(run.tallies.all())
        return JsonResponse(progress.as_json(run), headers={"Cache-Control": "no-store"})

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self.seen(request, pk)
        if not access.cancels(request.user, run):
            raise PermissionDenied
        if run.finished_at or run.cancelled_at:
            self.message_user(request, _("This run has ended or is being cancelled already."), messages.INFO)
        else:
            left = operations.cancel(run, request.user)
            self.message_user(request, progress.cancelled_in_words(*left), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[pk]))

    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self.seen(request, pk)
        back = HttpResponseRedirect(reverse("admin:runs_run_change", args=[pk]))
        if not access.retries(request.user, run):
            raise PermissionDenied
        if not run.failed:
            self.message_user(request, _("No record of this run has failed."), messages.INFO)
            return back
        chosen: dict[str, Any] = {}
        if request.POST.get("action") == "selected":
            picked = map(row_number, request.POST.getlist(ACTION_CHECKBOX_NAME))
            chosen["record_ids"] = [number for number in picked if number is not None]
        elif request.POST.get("action") == "alike":
            chosen["alike"] = request.POST.get("alike", "").replace("\x00", "")
        if chosen and not any(chosen.values()):
            self.message_user(request, _("Select the failed records to retry, in the table below."), messages.WARNING)
            return back
        try:
            new = operations.retry(run, request.user, form_token=form_token(request), **chosen)
        except (EmptySelection, BadParameters) as exc:
            self.message_user(request, str(exc), messages.WARNING)
            return back
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[new.pk]))

    def dismiss_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Failures whose records are deleted: no retry mends them."""
        run = self.seen(request, pk)
        if not access.may_dismiss(request.user, run):
            raise PermissionDenied
        try:
            number = dismissing.dismiss_gone(run, request.user, request.POST.get("reason", ""))
        except dismissing.NoReason as exc:
            self.message_user(request, str(exc), messages.WARNING)
        else:
            said = ngettext("%d failure dismissed.", "%d failures dismissed.", number) % number
            self.message_user(request, said, messages.SUCCESS if number else messages.INFO)
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[pk]))


def runs_to_see(user: Any, run: Run, others: list[Run], since: standing.Standing, page: items.ItemPage) -> set[int]:
    """Of the other runs that this one's page names, those that this person may see: the rest are no links."""
    settling = (line.settled.run_id for line in page.lines if line.settled)
    shown = (run.retry_of_id, run.undoes_id, *since.mended, *settling)
    named = {other.pk for other in others} | {number for number in shown if number is not None}
    return set(Run.objects.visible_to(user).filter(pk__in=named).values_list("pk", flat=True)) if named else set()
