"""How the admin looks: django-unfold's configuration. Settings import it, so it imports no model."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def file(path: str) -> Callable[[HttpRequest], str]:
    """The address of a static file, found when a page asks for it: settings are not ready yet."""
    return lambda request: static(path)


# Contrast is what chose the numbers: 600 on white and 500 on the dark ground are both above 4.5 to 1.
PRIMARY = {
    "50": "oklch(97% .014 254.6)",
    "100": "oklch(93.2% .032 255.6)",
    "200": "oklch(88.2% .059 254.1)",
    "300": "oklch(80.9% .105 251.8)",
    "400": "oklch(74% .14 254.6)",
    "500": "oklch(70% .16 256)",
    "600": "oklch(51.5% .19 261)",
    "700": "oklch(45.5% .18 262)",
    "800": "oklch(40% .155 263)",
    "900": "oklch(35% .12 264)",
    "950": "oklch(27% .08 266)",
}
FONT = {
    "subtle-light": "var(--color-base-600)",
    "subtle-dark": "oklch(75% .02 261)",
    "default-light": "var(--color-base-700)",
    "default-dark": "var(--color-base-300)",
    "important-light": "var(--color-base-900)",
    "important-dark": "var(--color-base-100)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("backoffice"),
    "SITE_HEADER": _("backoffice"),
    "SITE_SUBHEADER": _("select, act, watch, prove"),
    "SITE_URL": None,
    "SITE_ICON": file("backoffice/logo.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": file("backoffice/logo.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": PRIMARY, "font": FONT},
    "STYLES": [file("backoffice/desk.css"), file("notices/notices.css")],
    "SCRIPTS": [
        file("backoffice/desk.js"),
        file("backoffice/icons.js"),
        file("backoffice/times.js"),
        file("notices/bell.js"),
    ],
    "SIDEBAR": {
        "navigation": "backoffice.desk.navigation.sidebar",
        "show_all_applications": True,
        "show_search": True,
    },
    "ACCOUNT": {"navigation": "backoffice.desk.navigation.account"},
    "DASHBOARD_CALLBACK": "backoffice.desk.home.views.index_context",
    "SITE_VIEWS": [
        ("password_change/", "password_change", "backoffice.desk.people.passwords.OwnPasswordView"),
        ("notices/", "notices", "backoffice.notices.pages.listed.NoticesView"),
        ("notices/unread/", "notices_unread", "backoffice.notices.pages.bell.UnreadView"),
        ("notices/choice/", "notices_choice", "backoffice.notices.pages.choice.ChoiceView"),
        ("notices/<int:pk>/", "notice", "backoffice.notices.pages.listed.NoticeView"),
        ("desk/kept/", "desk_kept", "backoffice.desk.people.kept.KeptView"),
        ("desk/live/", "desk_live", "backoffice.desk.home.views.LiveView"),
        ("desk/timeline/<str:label>/<int:pk>/", "desk_timeline", "backoffice.desk.audit.timeline.TimelineView"),
        (
            "desk/timeline/<str:label>/<int:pk>/evidence/",
            "desk_record_evidence",
            "backoffice.desk.audit.evidence_page.RecordEvidenceView",
        ),
        ("desk/evidence/<int:pk>/", "desk_evidence", "backoffice.desk.audit.evidence_page.EvidenceView"),
        ("desk/agreement/", "desk_agreement", "backoffice.desk.agreement.pages.AgreementView"),
        (
            "desk/agreement/<int:pk>/progress/",
            "desk_agreement_progress",
            "backoffice.desk.agreement.pages.AgreementProgressView",
        ),
        (
            "desk/agreement/<int:pk>/evidence/",
            "desk_agreement_evidence",
            "backoffice.desk.agreement.pages.AgreementEvidenceView",
        ),
        ("desk/views/", "desk_view_save", "backoffice.desk.saved.pages.SaveView"),
        ("desk/views/<int:pk>/remove/", "desk_view_remove", "backoffice.desk.saved.pages.RemoveView"),
        ("desk/failures/", "desk_failures", "backoffice.desk.failures.failures_pages.FailuresView"),
        (
            "desk/failures/<slug:fingerprint>/",
            "desk_failure_group",
            "backoffice.desk.failures.failures_pages.FailureGroupView",
        ),
    ],
    "LOGIN": {"form": "backoffice.desk.people.sign_in.SignInForm", "image": file("backoffice/login.svg")},
}
