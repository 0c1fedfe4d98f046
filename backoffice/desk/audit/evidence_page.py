"""The addresses of evidence packs: of a run, and of a record."""

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views import View

from backoffice.results import activity
from backoffice.runs import access
from backoffice.runs.models import Run

from . import evidence, record_evidence
from .known import asked, misread
from .timeline import TimelineView


class EvidenceView(View):
    """For the requester and for those who may see all runs; to anybody else the run does not exist."""

    admin_site: Any = None
    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        run = Run.objects.select_related("task", "record_type").filter(pk=pk).first() if pk < 2**63 else None
        if run is None or not access.may_see(request.user, run):
            raise Http404(_("There is no run %(pk)s, or it is not yours to see.") % {"pk": pk})
        # Logged first, so that the pack says itself who took it.
        activity.log(request.user, "run.exported", run, items=run.total)
        return sent(evidence.pack(run, request.user), f"run-{run.pk}")


class RecordEvidenceView(View):
    """For those who may look at the record."""

    admin_site: Any = None
    http_method_names = ["get"]

    def get(self, request: HttpRequest, label: str, pk: int) -> HttpResponseBase:
        known = asked(request, label, pk)
        if misread(request.GET):
            page = TimelineView.as_view(admin_site=self.admin_site)(request, label=label, pk=pk)
            page.status_code = 400
            return page
        days = {"since": known.span.since, "until": known.span.until}
        about = activity.Subject(str(known), known.label, str(pk))
        activity.log(request.user, "record.evidence_taken", about, **{name: at for name, at in days.items() if at})
        return sent(record_evidence.pack(known), f"{known.label.replace('.', '-')}-{pk}")


def sent(parts: Iterable[bytes], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(parts, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}-evidence.zip"'
    response["Cache-Control"] = "no-store"
    return response
