"""The link in a mail that ends these mails: one click, without a sign-in, and not by merely looking at it."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from backoffice.results import activity

from .. import mail
from ..models import Preference, Wish


# Mail programs POST by themselves, with no cookie of ours (RFC 8058): the signature in the address says whose it is.
@method_decorator([csrf_exempt, never_cache], name="dispatch")
class UnsubscribeView(View):
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self.page(request, token, is_done=Preference.of(self.person(token)).email == Wish.NEVER)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        end_mails(self.person(token))
        return self.page(request, token, is_done=True)

    def person(self, token: str) -> Any:
        if (user := mail.whose(token)) is None:
            raise Http404(_("This link is not one of ours, or its account is gone."))
        return user

    def page(self, request: HttpRequest, token: str, is_done: bool) -> HttpResponse:
        return render(request, "notices/unsubscribe.html", {"is_done": is_done})


@transaction.atomic
def end_mails(user: Any) -> None:
    row, is_new = Preference.objects.get_or_create(user=user, defaults={"email": Wish.NEVER})
    if is_new or Preference.objects.filter(pk=row.pk).exclude(email=Wish.NEVER).update(email=Wish.NEVER):
        activity.log(user, "notices.unsubscribed", user)
