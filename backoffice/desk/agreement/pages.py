"""The page on which somebody asks whether anything is missing, and its evidence."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from backoffice.results import activity

from ..audit.evidence_page import sent
from ..models import Comparison
from . import asking, evidence
from .shown import Shown

SHOWN = 10
LOOK, ASK = "desk.view_comparison", "desk.ask_comparison"


def looking(request: HttpRequest) -> None:
    if not request.user.has_perm(LOOK):
        raise PermissionDenied


class AgreementView(View):
    admin_site: Any = None
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        looking(request)
        newest = [Shown(row) for row in Comparison.objects.order_by("-pk")[: SHOWN + 1]]
        last = next((each for each in newest if not each.row.open and not each.row.error), None)
        now = newest[0] if newest and (newest[0].row.open or newest[0].row.error) else None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Is anything missing?"),
            "now": now,
            "progress": now.as_json() if now and now.row.open else None,
            "last": last,
            "differences": list(last.differences(request.user)) if last else [],
            "earlier": [each for each in newest if each not in (now, last)][:SHOWN],
            "may_ask": request.user.has_perm(ASK) and not (now and now.row.open and not now.is_silent),
        }
        return TemplateResponse(request, "backoffice/agreement.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        looking(request)
        if not request.user.has_perm(ASK):
            raise PermissionDenied
        if not asking.ask(request.user):
            messages.info(request, _("A comparison is being made already."))
        return HttpResponseRedirect(reverse("admin:desk_agreement"))


class AgreementProgressView(View):
    admin_site: Any = None
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        looking(request)
        return JsonResponse(Shown(found(pk)).as_json(), headers={"Cache-Control": "no-store"})


class AgreementEvidenceView(View):
    admin_site: Any = None
    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        looking(request)
        row = found(pk)
        if row.open:
            raise Http404(_("This comparison has not ended."))
        activity.log(request.user, "comparison.exported", row)
        return sent(evidence.pack(row, request.user), f"agreement-{row.pk}")


def found(pk: int) -> Comparison:
    row = Comparison.objects.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise Http404(_("There is no comparison %s.") % pk)
    return row
