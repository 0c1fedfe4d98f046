"""How long things are kept, for staff to see and for some to change."""

from typing import Any

from django.contrib import admin
from django.db import connections
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.results import activity
from backoffice.runs.pages.staff import StaffAdmin

from ..models import RetentionPolicy


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(StaffAdmin, ModelAdmin):
    list_display = ("what", "age")
    list_display_links = ("what",)
    fields = ("days",)
    actions = None
    sortable_by = ()
    show_full_result_count = False
    list_before_template = "backoffice/retention.html"
    change_form_before_template = "backoffice/retention.html"

    @display(description=gettext_lazy("what"))
    def what(self, policy: RetentionPolicy) -> str:
        return str(policy)

    @display(description=gettext_lazy("kept for"))
    def age(self, policy: RetentionPolicy) -> str:
        return _("%d days") % policy.days if policy.days is not None else _("ever")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Who saves has all the ages to themselves: the order rule is about two of them."""
        if request.method == "POST" and connections[RetentionPolicy.objects.db].in_atomic_block:
            list(RetentionPolicy.objects.select_for_update().order_by("pk").values_list("pk"))
        return super().get_object(request, object_id, from_field)

    def save_model(self, request: HttpRequest, obj: RetentionPolicy, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            activity.log(request.user, "retention.changed", obj, kind=obj.kind, days=[form.initial["days"], obj.days])

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """The activity log has it."""
