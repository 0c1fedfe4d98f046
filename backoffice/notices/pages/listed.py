"""What one was told, newest first; each leads to what it is about, and is read by that."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View

from backoffice.runs.pages.numbers import row_number

from ..models import Notice
from ..wording import Told

SHOWN = 50


class NoticesView(View):
    admin_site: Any = None
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        only_unread, before = request.GET.get("unread") == "1", row_number(request.GET.get("before", ""))
        mine = Notice.objects.of(request.user).select_related("run__task").order_by("-pk")
        rows = mine.unread() if only_unread else mine
        page = list((rows.filter(pk__lt=before) if before else rows)[: SHOWN + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": _("Notices"),
            "told": [Told(notice) for notice in page[:SHOWN]],
            "older": page[SHOWN - 1].pk if len(page) > SHOWN else None,
            "before": before,
            "only_unread": only_unread,
            "newest": page[0].pk if page else 0,
        }
        return TemplateResponse(request, "notices/list.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """One, or all that were there when the page was made: what came since is still to be seen."""
        one, upto = (row_number(request.POST.get(name, "")) or 0 for name in ("one", "upto"))
        seen = Notice.objects.of(request.user).unread().filter(Q(pk=one) | Q(pk__lte=upto))
        number = seen.update(read_at=timezone.now())
        done = ngettext("%(n)d notice is read now.", "%(n)d notices are read now.", number) % {"n": number}
        messages.success(request, done if number else _("No notice was unread."))
        return HttpResponseRedirect(request.get_full_path())


class NoticeView(View):
    """The way from a notice, in the list or in a mail, to what it is about."""

    admin_site: Any = None
    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        notice = Notice.objects.of(request.user).filter(pk=pk).first() if pk < 2**63 else None
        if notice is None:
            raise Http404(_("There is no such notice of yours: it may be older than notices are kept."))
        Notice.objects.unread().filter(pk=notice.pk).update(read_at=timezone.now())
        return HttpResponseRedirect(Told(notice).url)
