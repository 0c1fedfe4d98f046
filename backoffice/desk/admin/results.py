"""Task results, to look at and to prove with."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import django_celery_results.admin  # noqa: F401 - registers what is replaced below
from celery import states
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_results.models import TaskResult
from unfold.decorators import display

from backoffice.results.cancel import request_cancel
from backoffice.results.models import CancelRequest
from backoffice.runs import access
from backoffice.runs.ids import split_task_id
from backoffice.runs.labels import task_label
from backoffice.runs.models import Run, state_label

from ..audit import outcome
from ..audit.origin import Origin, trace
from ..failures import settled
from ..home import find
from ..parts import cells
from ..parts.documents import load, pretty
from ..parts.filters import (
    RequesterFilter,
    ResultDayFilter,
    SourceFilter,
    StateFilter,
    TaskFilter,
    WorkerFilter,
    known_tasks,
)
from ..parts.links import admin_url
from ..parts.readonly import Document, Fact, ReadOnlyAdmin

CANCELLABLE = {states.PENDING, states.STARTED, "PROGRESS"}
LONG = {"args": "task_args", "kwargs": "task_kwargs", "result": "result", "traceback": "traceback", "meta": "meta"}

if admin.site.is_registered(TaskResult):
    admin.site.unregister(TaskResult)


def seconds(started: datetime | None, done: datetime | None) -> str:
    if started is None or done is None or done < started:
        return ""
    took = (done - started).total_seconds()
    if took < 60:
        return _("%.2f s") % took
    return _("%(minutes)d min %(seconds)d s") % {"minutes": took // 60, "seconds": took % 60}


def duration(result: Any) -> str:
    return seconds(result.date_started, result.date_done) if result.status in states.READY_STATES else ""


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin):
    # Worker and start are on a row's own page: with them a list is wider than a screen.
    list_display = ("state", "task", "record", "outcome", "run", "source", "finished", "took")
    list_display_links = ("state", "task")
    list_filter = (StateFilter, TaskFilter, ResultDayFilter, SourceFilter, RequesterFilter, WorkerFilter)
    search_fields = ("task_id",)
    search_help_text = gettext_lazy("Exact task id, run id or record reference")
    unread = ("task_args", "task_kwargs", "result", "traceback", "meta")
    change_form_template = "backoffice/task_result.html"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who asked for a run may read its outcomes."""
        return super().has_view_permission(request, obj) or (obj is not None and is_own(request.user, obj))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (find.task_results(queryset, term, request.user) if term.strip() else queryset), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return outcome.with_beginnings(rows) if getattr(request, "is_list", False) else rows

    def dress(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        origins = trace(rows, request.user)
        for row in rows:
            row.origin = origins[row.task_id]
        return rows

    @display(description=gettext_lazy("state"))
    def state(self, obj: Any) -> SafeString:
        return cells.badge(obj.status, state_label(obj.status))

    @display(description=gettext_lazy("task"))
    def task(self, obj: Any) -> str:
        return task_label(obj.task_name) if obj.task_name else _("unknown")

    @display(description=gettext_lazy("record"))
    def record(self, obj: Any) -> SafeString | str:
        return cells.link(obj.origin.record, obj.origin.record_url)

    @display(description=gettext_lazy("outcome"))
    def outcome(self, obj: Any) -> SafeString:
        return cells.said(outcome.in_words(obj, obj.origin.run))

    @display(description=gettext_lazy("run"))
    def run(self, obj: Any) -> SafeString | str:
        run = obj.origin.run
        return cells.link(f"#{run.pk}" if run else "", obj.origin.run_url)

    @display(description=gettext_lazy("source"))
    def source(self, obj: Any) -> str:
        return obj.origin.source

    @display(description=gettext_lazy("finished"))
    def finished(self, obj: Any) -> SafeString | str:
        return cells.moment(obj.date_done if obj.status in states.READY_STATES else None)

    @display(description=gettext_lazy("took"))
    def took(self, obj: Any) -> SafeString:
        return cells.number(duration(obj))

    def name_of(self, obj: Any) -> str:
        return self.task(obj)

    def facts(self, request: HttpRequest, obj: Any) -> Iterable[Fact]:
        origin = trace([obj], request.user)[obj.task_id]
        yield Fact(_("State"), state_label(obj.status), badge=obj.status)
        if obj.status in states.READY_STATES:
            yield Fact(_("Outcome"), outcome.in_words(obj, origin.run))
        if obj.status == states.FAILURE:
            said, url = settled.in_words(obj, origin.run, request.user)
            yield from [Fact(_("Settled"), said, url=url)] if said else []
        yield Fact(_("Task"), self.task(obj))
        yield Fact(_("Task name"), obj.task_name or "", mono=True)
        yield Fact(_("Task id"), obj.task_id, mono=True)
        if origin.run is not None:
            yield from facts_of_run(origin)
        yield Fact(_("Source"), origin.source)
        if origin.schedule:
            yield Fact(_("Schedule"), origin.schedule)
        yield Fact(_("Worker"), obj.worker or "", mono=True)
        yield Fact(_("Created"), at=obj.date_created)
        yield Fact(_("Started"), at=obj.date_started)
        if obj.status in states.READY_STATES:
            yield Fact(_("Finished"), at=obj.date_done)
            yield Fact(_("Took"), duration(obj))

    def documents(self, request: HttpRequest, obj: Any) -> Iterable[Document]:
        titles = {
            "args": _("Arguments"),
            "kwargs": _("Named arguments"),
            "result": _("Error") if obj.status == states.FAILURE else _("Result"),
            "traceback": _("Traceback"),
            "meta": _("Meta"),
        }
        for name, column in LONG.items():
            url = self.url("text", obj.pk, name)
            yield Document(titles[name], readable(obj, column), name in {"args", "result", "traceback"}, url)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context |= {
            "progress": progress(obj),
            "task": self.task(obj),
            "poll_url": "" if obj.status in states.READY_STATES else self.url("status", obj.pk),
            "cancel_url": self.url("cancel", obj.pk) if may_cancel(request.user, obj) else "",
            "cancel_request": CancelRequest.objects.filter(task_id=obj.task_id).first(),
        }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    # --- the pages beside list and detail

    def url(self, name: str, *args: object) -> str:
        return reverse(f"admin:desk_taskresult_{name}", args=args)

    def get_urls(self) -> list[URLPattern]:
        pages = {
            "by-id/<str:task_id>/": (self.by_id, "by_id"),
            "<path:object_id>/text/<str:name>/": (self.text, "text"),
            "<path:object_id>/status/": (self.status, "status"),
            "<path:object_id>/cancel/": (self.cancel, "cancel"),
        }
        wrap = self.admin_site.admin_view
        own = [path(url, wrap(view), name=f"desk_taskresult_{name}") for url, (view, name) in pages.items()]
        return own + super().get_urls()

    def readable_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """Absent and forbidden look the same."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        return obj

    def by_id(self, request: HttpRequest, task_id: str) -> HttpResponse:
        """For links from runs and records, which know task ids and no row numbers."""
        obj = get_object_or_404(TaskResult, task_id=task_id)
        return HttpResponseRedirect(admin_url(self.readable_or_404(request, str(obj.pk))))

    def text(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """All of a long text, as a download."""
        obj = self.readable_or_404(request, object_id)
        if name not in LONG:
            raise Http404
        answer = HttpResponse(readable(obj, LONG[name]), content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="task-result-{obj.pk}-{name}.txt"'
        return answer

    def status(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.readable_or_404(request, object_id)
        answer = {"state": obj.status, "final": obj.status in states.READY_STATES} | (progress(obj) or {})
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})

    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.readable_or_404(request, object_id)
        if request.method != "POST" or not request.user.has_perm("results.add_cancelrequest"):
            raise PermissionDenied
        if not listens(obj):
            messages.error(
                request, _("This task does not listen for cancel requests, so it cannot be stopped from here.")
            )
        elif obj.status not in CANCELLABLE:
            messages.error(
                request, _("It has already ended (%s), so there is nothing to cancel.") % state_label(obj.status)
            )
        else:
            request_cancel(obj.task_id, request.user)
            messages.success(request, _("Cancel requested: the task stops the next time it looks."))
        return HttpResponseRedirect(admin_url(obj))


def facts_of_run(origin: Origin) -> Iterable[Fact]:
    yield Fact(_("Record"), origin.record, url=origin.record_url)
    yield Fact(_("Run"), origin.run, url=origin.run_url)
    yield Fact(_("Requested by"), origin.requester or _("the system"))


def readable(obj: Any, column: str) -> str:
    text = getattr(obj, column) or ""
    return text if column == "traceback" else pretty(text)


def progress(obj: Any) -> dict[str, Any] | None:
    """What a task in state PROGRESS says of itself, if it says how far it is."""
    said = load(obj.result) if obj.status == "PROGRESS" else None
    if not isinstance(said, dict):
        return None
    done, total = said.get("current", said.get("done")), said.get("total")
    if not isinstance(done, int) or not isinstance(total, int) or total < 1:
        return None
    return {
        "done": done,
        "total": total,
        "text": _("%(done)s of %(total)s") % {"done": f"{done:,}", "total": f"{total:,}"},
    }


def listens(obj: Any) -> bool:
    return bool(getattr(known_tasks().get(obj.task_name), "listens_for_cancel", False))


def may_cancel(user: Any, obj: Any) -> bool:
    return obj.status in CANCELLABLE and listens(obj) and user.has_perm("results.add_cancelrequest")


def is_own(user: Any, obj: Any) -> bool:
    item = split_task_id(obj.task_id)
    run = Run.objects.filter(uid=item[0]).first() if item else None
    return run is not None and access.may_see(user, run)
