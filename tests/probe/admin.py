from django.contrib import admin
from unfold.admin import ModelAdmin

from backoffice.runs.seam import ProcessableAdmin, run_action
from backoffice.schedules.pages.later_action import later_action
from tests.probe.models import Kinds, Probe


@admin.register(Probe)
class ProbeAdmin(ProcessableAdmin, ModelAdmin):
    list_display = ("text", "behaviour", "effects")
    show_full_result_count = False
    actions = (
        run_action("poke", "poke_selected", "Poke selected probes"),
        run_action("say", "say_selected", "Say a word"),
        later_action("say", "say_later", "Say a word later…"),
    )


@admin.register(Kinds)
class KindsAdmin(ProcessableAdmin, ModelAdmin):
    list_display = ("number", "owner", "day", "when")
    list_filter = ("day", "when", "owner")
    show_full_result_count = False
    actions = (run_action("fill_kinds", "fill_selected", "Fill selected"),)
