"""A notice by e-mail: the same message however often it is sent, with a link that ends such mails by one click.

RFC 8058: the link is in a header, signed, answers a POST without a session, and does nothing when it is only looked at.
"""

import time
from email.utils import format_datetime, parseaddr
from smtplib import SMTPServerDisconnected
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.lines import escaped

from .models import Notice, Preference
from .wording import Told

OFF = "django.core.mail.backends.dummy.EmailBackend"
SILENT = 60  # seconds
_silent_until = 0.0
SALT = "backoffice.notices.unsubscribe"


def is_on() -> bool:
    return settings.EMAIL_BACKEND != OFF


def address_of(user: Any) -> str:
    return str(getattr(user, user.get_email_field_name(), "") or "")


def reaches(user: Any) -> bool:
    return is_on() and bool(address_of(user))


def send(about: dict[str, Any]) -> None:
    """Called by the outbox. Not to whoever has ended these mails since, or has left. Raises what the server says."""
    notice = Notice.objects.select_related("user", "run__task").filter(pk=about["notice"]).first()
    if notice is None or not (notice.user.is_active and notice.user.is_staff and reaches(notice.user)):
        return
    if notice.is_wanted(Preference.of(notice.user).email):
        hand_over(message(notice))


def hand_over(mail: EmailMessage) -> None:
    """To a server that says nothing one mail waits, and those behind it come back later: plain calls wait in the same
    queue."""
    global _silent_until
    if time.monotonic() < _silent_until:
        raise TimeoutError(_("The mail server did not answer a moment ago."))
    try:
        mail.send()
    except (TimeoutError, SMTPServerDisconnected):
        _silent_until = time.monotonic() + SILENT
        raise


def message(notice: Notice) -> EmailMessage:
    told, unsubscribe = Told(notice), absolute(reverse("notices_unsubscribe", args=[token(notice.user)]))
    pages = {"open": reverse("admin:notice", args=[notice.pk]), "choose": reverse("admin:notices_choice")}
    links = {name: absolute(path) for name, path in pages.items()}
    subject = _("%(title)s – %(detail)s") % {"title": told.title, "detail": told.detail}
    return EmailMessage(
        subject=escaped(" ".join(subject.split()))[:200],
        body=render_to_string("notices/mail.txt", {"told": told, "unsubscribe": unsubscribe, **links}),
        to=[address_of(notice.user)],
        headers={
            "Message-ID": f"<{notice.uid}@{parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition('@')[2]}>",
            "Date": format_datetime(notice.created_at),
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def recipient(about: dict[str, Any] | None) -> str:
    """For whoever looks why it does not arrive."""
    notice = Notice.objects.select_related("user").filter(pk=about["notice"]).first() if about else None
    return address_of(notice.user) if notice else _("somebody who is gone")


def absolute(path: str) -> str:
    return f"{settings.BACKOFFICE_URL}{path}"


def token(user: Any) -> str:
    return signing.Signer(salt=SALT).sign(str(user.pk))


def whose(token: str) -> Any:
    """The person whose link it is; None for one that was not signed here, or whose person is gone."""
    try:
        pk = signing.Signer(salt=SALT).unsign(token)
        return get_user_model()._default_manager.filter(pk=pk).first()
    except (signing.BadSignature, ValidationError, ValueError):
        return None
