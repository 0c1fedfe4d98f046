from django.contrib import admin
from unfold.admin import ModelAdmin

from backoffice.runs.seam import ProcessableAdmin, run_action
from tests.probe.models import Probe


@admin.register(Probe)
class ProbeAdmin(ProcessableAdmin, ModelAdmin):
    list_display = ("text", "behaviour", "effects")
    show_full_result_count = False
    actions = (run_action("poke", "poke_selected", "Poke selected probes"),)
