"""The sidebar: what this person may open, and nothing else."""

from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.runs.models import Processable
from backoffice.runs.pages.listing.runs import sees_more_than_own

type Item = dict[str, Any]

MINE = "mine=1"


def sidebar(request: HttpRequest) -> list[Item]:
    groups: list[tuple[str, list[Item | None]]] = [
        ("", [page(request, _("Desk"), "home", reverse("admin:index"), exact=True)]),
        (_("Records"), records(request)),
        (
            _("Work"),
            [
                *runs(request),
                listing(request, _("Schedules"), "event_repeat", "django_celery_beat.periodictask"),
            ],
        ),
        (
            _("Evidence"),
            [
                listing(request, _("Task results"), "fact_check", "django_celery_results.taskresult"),
                failures(request),
                agreement(request),
                listing(request, _("Activity log"), "history", "results.activity"),
                listing(request, _("Retention"), "auto_delete", "desk.retentionpolicy"),
            ],
        ),
        (
            _("People"),
            [
                listing(request, _("Users"), "person", settings.AUTH_USER_MODEL.lower()),
                listing(request, _("Groups"), "group", "auth.group"),
            ],
        ),
    ]
    shown = [(title, [item for item in items if item]) for title, items in groups]
    return [{"title": title, "items": items, "separator": False} for title, items in shown if items]


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu at a person's own name."""
    if not request.user.is_authenticated:
        return []
    links = [(_("Notices"), "admin:notices"), (_("What I am told"), "admin:notices_choice")]
    links += [(_("Change password"), "admin:password_change")] if request.user.has_usable_password() else []
    return [{"title": title, "link": reverse(name)} for title, name in links]


def runs(request: HttpRequest) -> list[Item | None]:
    """Who sees no others has one list: their own."""
    if not sees_more_than_own(request.user):
        return [listing(request, _("My runs"), "person_play", "runs.run")]
    return [
        listing(request, _("Runs"), "play_circle", "runs.run", without=MINE),
        listing(request, _("My runs"), "person_play", "runs.run", query=MINE),
    ]


def failures(request: HttpRequest) -> Item | None:
    """For those who see everybody's; one's own are a click away from the desk."""
    if not request.user.has_perm("runs.view_run"):
        return None
    return page(request, _("Failures"), "running_with_errors", reverse("admin:desk_failures"), exact=True)


def agreement(request: HttpRequest) -> Item | None:
    if not request.user.has_perm("desk.view_comparison"):
        return None
    return page(request, _("Is anything missing?"), "balance", reverse("admin:desk_agreement"), exact=True)


def records(request: HttpRequest) -> list[Item | None]:
    """A page for each kind of record a team has registered; this module knows none of them by name."""
    kinds = [model for model in admin.site._registry if issubclass(model, Processable)]
    return [
        listing(request, capfirst(str(model._meta.verbose_name_plural)), "table_rows", model._meta.label_lower)
        for model in kinds
    ]


def listing(request: HttpRequest, title: str, icon: str, label: str, query: str = "", without: str = "") -> Item | None:
    """A changelist, if it exists and the person may see it."""
    app_label, model_name = label.split(".")
    if not may_see(request, app_label, model_name):
        return None
    try:
        url = reverse(f"admin:{app_label}_{model_name}_changelist")
    except NoReverseMatch:
        return None
    here = request.GET.urlencode()
    active = request.path.startswith(url) and (not query or query in here) and (not without or without not in here)
    return page(request, title, icon, f"{url}?{query}" if query else url, active=active)


def may_see(request: HttpRequest, app_label: str, model_name: str) -> bool:
    model_admin = admin.site._registry.get(apps.get_model(app_label, model_name))
    return model_admin is not None and model_admin.has_view_or_change_permission(request)


def may_follow(request: HttpRequest, url: str) -> bool:
    """Whether an address of a list, or of an app's lists, is one that this person may open; any other is."""
    try:
        match = resolve(urlsplit(url).path)
    except Resolver404:
        return True
    if match.url_name == "app_list":
        return bool(admin.site.get_app_list(request, match.kwargs["app_label"]))
    for model, model_admin in admin.site._registry.items():
        if match.url_name == f"{model._meta.app_label}_{model._meta.model_name}_changelist":
            return model_admin.has_view_or_change_permission(request)
    return True


def page(request: HttpRequest, title: str, icon: str, link: str, active: bool = False, exact: bool = False) -> Item:
    return {"title": title, "icon": icon, "link": link, "active": request.path == link if exact else active}
