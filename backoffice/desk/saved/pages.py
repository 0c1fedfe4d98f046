"""Where a view is saved, and taken away again."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from ..models import SavedView

MOST = 20  # of one list
NAME, QUERY = 60, 2000  # letters, as the columns take them
OF_THE_PAGE = ("p", "all", "e", "_popup", "_applied", "_changelist_filters")


def views_of(user: Any) -> QuerySet[SavedView]:
    return SavedView.objects.filter(user=user)


def list_of(label: str) -> Any:
    """The admin of what a list is of; 404 where there is none."""
    try:
        return admin.site._registry[apps.get_model(label)]
    except (LookupError, ValueError):
        raise Http404(_("There is no such list.")) from None


def address_of(model_admin: Any, query: str) -> str:
    opts = model_admin.opts
    return f"{reverse(f'admin:{opts.app_label}_{opts.model_name}_changelist')}?{query}"


def cleaned(text: str) -> str:
    """A list's query without what is of the page."""
    query = QueryDict(text, mutable=True)
    for name in OF_THE_PAGE:
        query.pop(name, None)
    return query.urlencode()


class SaveView(View):
    admin_site: Any = None
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        sent = {name: request.POST.get(name, "").replace("\x00", "").strip() for name in ("label", "name", "query")}
        model_admin, query = list_of(sent["label"]), cleaned(sent["query"])
        if not model_admin.has_view_or_change_permission(request):
            raise PermissionDenied
        refusal = self.refusal(sent["name"], query) or self.saved(request, model_admin, sent["name"], query)
        if refusal:
            messages.warning(request, refusal)
        return HttpResponseRedirect(address_of(model_admin, query))

    def refusal(self, name: str, query: str) -> str:
        if not name or len(name) > NAME:
            return _("Give the view a name of at most %(n)d letters.") % {"n": NAME}
        if not query or len(query) > QUERY:
            return _("Filter the list first: a view is a filter with a name.")
        return ""

    def saved(self, request: HttpRequest, model_admin: Any, name: str, query: str) -> str:
        """Of the same name the last one counts; "" where all is well."""
        label = model_admin.opts.label_lower
        with transaction.atomic():
            own = views_of(request.user).filter(label=label)
            if own.filter(name=name).update(query=query):
                return ""
            if own.count() >= MOST:
                return _("There are %(n)d views of this list already: take one away first.") % {"n": MOST}
            SavedView(user_id=request.user.pk or 0, label=label, name=name, query=query).save()
        return ""


class RemoveView(View):
    admin_site: Any = None
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        own = views_of(request.user).filter(pk=pk).first() if pk < 2**63 else None
        if own is None:
            raise Http404(_("There is no such view, or it is somebody else's."))
        own.delete()
        return HttpResponseRedirect(address_of(list_of(own.label), cleaned(request.POST.get("query", ""))))
