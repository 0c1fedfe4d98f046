"""Passwords that are set: one's own, whose old one is guessed no faster than at the sign-in, and another person's.

The password is written and nothing else: what somebody saved meanwhile, such as a leaver's end, stays.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm

from backoffice.results.activity import log

from . import devices, fields, throttle
from .address import client_address
from .receivers import log_locked, log_refusal


class PasswordForm(AdminPasswordChangeForm):
    """Another person's, whose row the page has locked."""

    def set_password_and_save(self, user: Any, *args: Any, commit: bool = True, **options: Any) -> Any:
        super().set_password_and_save(user, *args, commit=False, **options)
        if commit:
            user.save(update_fields=["password"])
        return user


class ChangedMeanwhile(Exception):
    """The account is not what it was when its old password was asked for."""


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    request: HttpRequest  # set by the page

    def clean_old_password(self) -> str:
        """Each old password counts as a try to sign in, which it is as good as. Raises LockedOut."""
        name, request = self.user.get_username(), self.request
        try:
            attempt = throttle.begin(name, client_address(request), devices.device_of(request, name))
        except throttle.LockedOut as locked:
            log_locked(name, request, locked)
            raise
        try:
            old = super().clean_old_password()
        except ValidationError:
            log_refusal(name, request, reason="wrong old password", attempt=attempt)
            raise
        throttle.succeeded(attempt)
        self.known = self.user.password  # after the look at it, which may have stored a stronger digest of the same one
        return str(old)

    def set_password_and_save(self, user: Any, *args: Any, commit: bool = True, **options: Any) -> Any:
        """Raises ChangedMeanwhile."""
        super().set_password_and_save(user, *args, commit=False, **options)
        on = {"is_active": True} if fields.there("is_active") else {}
        rows = get_user_model()._default_manager.filter(pk=user.pk, password=self.known, **on)
        if commit and not rows.update(password=user.password):
            raise ChangedMeanwhile
        return user


class OwnPasswordView(PasswordChangeView):
    """In the place of the theme's, which offers no other form."""

    form_class, title = OwnPasswordForm, gettext_lazy("Change password")
    success_url = reverse_lazy("admin:password_change_done")
    admin_site: Any = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.current_app = self.admin_site.name
        self.extra_context = self.admin_site.each_context(request)
        return super().dispatch(request, *args, **kwargs)

    def get_form(self, form_class: Any = None) -> Any:
        form: Any = super().get_form(form_class)
        form.request = self.request
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                answer = super().form_valid(form)
                log(form.user, "user.password_set", form.user)
        except ChangedMeanwhile:
            words = _("Your account was changed while this page was open, and the password was not. Sign in again.")
            form.add_error("old_password", words)
            return self.form_invalid(form)
        return answer
