"""The page on which a person says what they want to be told, and by which way."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from backoffice.results import activity

from .. import mail
from ..models import Preference


class ChoiceForm(forms.ModelForm):
    class Meta:
        model = Preference
        fields = ("bell", "email")
        widgets = {"bell": forms.RadioSelect, "email": forms.RadioSelect}


class ChoiceView(View):
    admin_site: Any = None
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, ChoiceForm(instance=Preference.of(request.user)))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ChoiceForm(request.POST, instance=Preference.of(request.user))
        if not form.is_valid():
            return self.page(request, form)
        with transaction.atomic():
            form.save()
            if form.changed_data:
                now = {name: form.cleaned_data[name] for name in form.changed_data}
                activity.log(request.user, "notices.chosen", request.user, **now)  # type: ignore[arg-type]
        messages.success(request, _("Your choice is kept."))
        return HttpResponseRedirect(reverse("admin:notices_choice"))

    def page(self, request: HttpRequest, form: ChoiceForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("What I am told"),
            "form": form,
            "address": mail.address_of(request.user),
            "mail_is_on": mail.is_on(),
        }
        return TemplateResponse(request, "notices/choice.html", context)
