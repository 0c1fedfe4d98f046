from django.contrib import admin
from import_export.fields import Field
from import_export.widgets import ForeignKeyWidget
from unfold.admin import ModelAdmin

from backoffice.exchange.seam import ExchangeAdmin, ExchangeResource
from backoffice.runs.seam import ProcessableAdmin, run_action
from tests.freight.models import Carrier, Shipment


class ShipmentResource(ExchangeResource):
    carrier = Field(attribute="carrier", widget=ForeignKeyWidget(Carrier, "name"))

    class Meta:
        model = Shipment
        import_id_fields = ("number",)
        fields = ("number", "carrier", "weight", "due", "picked_up", "fragile", "label", "contact", "price")


@admin.register(Shipment)
class ShipmentAdmin(ExchangeAdmin, ProcessableAdmin, ModelAdmin):
    resource_classes = [ShipmentResource]
    list_display = ("number", "carrier", "weight", "price")
    list_select_related = ("carrier",)
    list_filter = ("carrier",)
    actions = (run_action("edit_shipment", "edit_selected", "Change fields of selected shipments…"), "export_selected")
