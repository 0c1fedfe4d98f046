from django.contrib import admin
from unfold.admin import ModelAdmin

from backoffice.runs.seam import DuplicateFilter, ProcessableAdmin, run_action
from tests.second.models import Invoice


@admin.register(Invoice)
class InvoiceAdmin(ProcessableAdmin, ModelAdmin):
    list_display = ("number", "net", "gross", "processed", "possible_duplicates")
    list_filter = (DuplicateFilter,)
    actions = (
        run_action("tax_invoice", "tax_selected", "Tax selected invoices"),
        run_action("edit_invoice", "edit_selected", "Change fields of selected invoices…"),
    )
