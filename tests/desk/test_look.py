"""What every page carries: the navigation of this person, local files only, and no inline script."""

import re
from pathlib import Path

import pytest
import unfold
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.forms.renderers import get_default_renderer
from django.template.loader import render_to_string
from django.test import Client
from pytest_django.asserts import assertHTMLEqual
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminSelectWidget

from backoffice.desk.parts.cells import badge
from tests.desk import factories
from tests.factories import record, user

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PAGES = [
    "/admin/",
    "/admin/password_change/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/group/add/",
    "/admin/results/activity/",
    "/admin/django_celery_results/taskresult/",
    "/admin/django_celery_results/groupresult/",
    "/admin/records/yourmodel/",
]
INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|\son[a-z]+=|javascript:", re.IGNORECASE)
ELSEWHERE = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""", re.IGNORECASE)


def titles(client: Client) -> list[str]:
    groups = client.get("/admin/").context["sidebar_navigation"]
    return [str(item["title"]) for group in groups for item in group["items"]]


def test_the_admin_site_and_our_admins_are_unfolds():
    assert isinstance(admin.site, UnfoldAdminSite)
    assert all(isinstance(admin.site._registry[model], ModelAdmin) for model in (User, Group))


def test_a_superuser_may_go_everywhere(client: Client):
    client.force_login(user(is_superuser=True))
    expected = ["Desk", "Records", "Runs", "My runs", "Schedules", "Task results", "Activity log", "Users", "Groups"]
    assert [title for title in titles(client) if title in expected] == expected


def test_staff_without_permissions_see_the_desk_and_their_own_runs(client: Client):
    client.force_login(user())
    assert set(titles(client)) <= {"Desk", "My runs", "Runs"}
    assert "Desk" in titles(client)


def test_each_view_permission_opens_its_page_and_no_other(client: Client):
    client.force_login(user("results.view_activity", "auth.view_group"))
    assert {"Activity log", "Groups"} <= set(titles(client))
    assert not {"Users", "Task results", "Records", "Schedules"} & set(titles(client))


@pytest.mark.parametrize("url", PAGES)
def test_no_page_has_an_inline_script_or_asks_another_site(client: Client, url: str):
    client.force_login(user(is_superuser=True))
    record()
    factories.run()
    answer = client.get(url)
    assert answer.status_code == 200
    assert INLINE.findall(answer.text) == []
    assert ELSEWHERE.findall(answer.text) == []
    assert "script-src 'self' 'unsafe-eval'" in answer["Content-Security-Policy"]


def test_the_login_page_is_ours_and_has_no_inline_script(client: Client):
    text = client.get("/admin/login/").text
    assert INLINE.findall(text) == []
    assert "backoffice/login.svg" in text


def test_a_badge_says_the_state_in_words_in_templates_and_in_lists():
    expected = '<span class="bo-badge bo-badge--failure">failed</span>'
    assert render_to_string("backoffice/badge.html", {"state": "FAILURE", "label": "failed"}).strip() == expected
    assert badge("FAILURE", "failed") == expected
    assert "&lt;b&gt;" in badge("X", "<b>")


def test_a_select_is_the_themes_only_quicker():
    choices = [("", "Choose…"), ("<b>", "<b> & c"), (1, "one"), ("Group", [("a", "A"), ("b", "B")])]
    widget = UnfoldAdminSelectWidget({"id": "x", "required": True}, choices)
    theirs = Path(unfold.__file__).parent / "templates" / widget.template_name
    engine = get_default_renderer().engine
    for value in ("", 1, "b", "<b>", "none of them"):
        context = widget.get_context("field", value, {})
        ours = engine.get_template(widget.template_name)
        assert Path(ours.origin.name) != theirs
        assertHTMLEqual(ours.render(context), engine.from_string(theirs.read_text()).render(context))
