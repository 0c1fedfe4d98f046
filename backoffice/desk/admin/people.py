"""Users and groups under unfold. Changes of what a person may do go into the activity log."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import UserChangeForm, UserCreationForm

from backoffice.results.activity import log, name_of
from backoffice.runs.pages.back import with_filters
from backoffice.runs.pages.staff import StaffAdmin

from ..people import fields
from ..people.fields import FLAGS
from ..people.passwords import PasswordForm
from ..people.powers import covers, grantable

People: Any = get_user_model()

for model in (People, Group):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

GRANTS = (*fields.GRANTS, "permissions")
Changes = dict[str, list[str]]


def powers(obj: Model) -> set[str]:
    """All that decides what a user, or the members of a group, may do; in words."""
    if isinstance(obj, People):
        flags = {flag for flag in FLAGS if getattr(obj, flag, False)}
        groups = {f"group {name}" for name in obj.groups.values_list("name", flat=True)}
        return flags | groups | permission_names(obj.user_permissions.all())
    return permission_names(obj.permissions.all()) if isinstance(obj, Group) else set()


def permission_names(permissions: QuerySet[Any]) -> set[str]:
    return {f"{app}.{name}" for app, name in permissions.values_list("content_type__app_label", "codename")}


def described(form: Any) -> Changes:
    """What was changed beside powers, before and after: another name must not hide who did what."""
    named = (name for name in form.changed_data if name not in (*GRANTS, *FLAGS) and name in form.initial)
    return {name: [str(form.initial[name] or ""), str(form.cleaned_data[name] or "")] for name in named}


class LoggedPeopleAdmin(StaffAdmin, ModelAdmin):
    """Changes only whom a person covers, grants only what they have, and writes what changed into the activity log, in
    the transaction that changes it."""

    kind = "group"  # as the activity log calls it, whatever the model is called

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and covers(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and covers(request.user, obj)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name in GRANTS and field is not None:
            field.queryset = grantable(request.user, field.queryset)
        return field

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        # Read from the database, before this request writes to it.
        form.powers_before = powers(self.model._default_manager.get(pk=form.instance.pk)) if change else set()
        return super().save_form(request, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        before, after = form.powers_before, powers(form.instance)
        if not change:
            log(request.user, f"{self.kind}.created", form.instance)
        elif changes := described(form):
            log(request.user, f"{self.kind}.changed", form.instance, changes=changes)
        if before != after:
            log(
                request.user,
                "permissions.changed",
                form.instance,
                added=sorted(after - before),
                removed=sorted(before - after),
            )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        log(request.user, f"{self.kind}.deleted", obj, had=sorted(powers(obj)))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            log(request.user, f"{self.kind}.deleted", obj, had=sorted(powers(obj)))
        super().delete_queryset(request, queryset)


def kept_out(user: Any) -> str:
    """What to tell of somebody who was given what the admin is for, and not the right to sign in to it."""
    if not user.pk or user.is_staff:
        return ""
    given = user.is_superuser or user.groups.exists() or user.user_permissions.exists()
    words = _("%(user)s cannot sign in here: groups and permissions give nothing until “Staff status” is ticked.")
    return words % {"user": name_of(user)} if given else ""


class UserForm(UserChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (words := kept_out(self.instance)) and "is_staff" in self.fields:
            self.fields["is_staff"].help_text = words


@admin.register(People)
class UserAdmin(DjangoUserAdmin, LoggedPeopleAdmin):  # type: ignore[misc]
    kind = "user"
    form = UserForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    fieldsets = fields.fieldsets()
    add_fieldsets = fields.asked_of_a_new_one()
    list_display = fields.listed()
    search_fields = fields.searched()
    ordering = (fields.signs_in_with(),)
    readonly_fields = fields.there(*fields.DATES)
    filter_horizontal = fields.there(*fields.GRANTS)
    list_filter = fields.there("groups", "is_staff", "is_superuser", "is_active")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(*fields.there("groups"))

    @display(description=gettext_lazy("groups"))
    def in_groups(self, obj: Any) -> str:
        names = sorted(group.name for group in obj.groups.all())
        return ", ".join([*([_("everything (superuser)")] if getattr(obj, "is_superuser", False) else []), *names])

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "is_staff":
            kwargs["help_text"] = _("Needed to sign in here: without it groups and permissions give nothing.")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever is added here is mostly meant to sign in here."""
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The link to the password's page keeps the list's filters."""
        if field := context["adminform"].form.fields.get("password"):
            page = reverse("admin:auth_user_password_change", args=[kwargs["obj"].pk]) if kwargs.get("obj") else ""
            words = field.help_text.replace("../password/", escape(with_filters(request, page)))
            field.help_text = mark_safe(words)  # noqa: S308 - the theme's own, with an address that is escaped
        return super().render_change_form(request, context, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if words := kept_out(form.instance):
            messages.warning(request, words)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = list(super().get_readonly_fields(request, obj))
        return shown if request.user.is_superuser else [*shown, *fields.there("is_superuser")]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        with transaction.atomic():  # under the user's lock, with whatever powers they have by then
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == 302:
                log(request.user, "user.password_set", self.get_object(request, id) or id)
        return answer


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, LoggedPeopleAdmin):
    pass
