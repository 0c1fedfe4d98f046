"""The address of a run's evidence pack."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views import View

from backoffice.results import activity
from backoffice.runs import access
from backoffice.runs.models import Run

from . import evidence


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
        response = StreamingHttpResponse(evidence.pack(run, request.user), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="run-{run.pk}-evidence.zip"'
        response["Cache-Control"] = "no-store"
        return response
