"""django-import-export's own admin in a team's list: nobody gets in by chance, and a system check names the mixin."""

import pytest
from django.contrib import admin
from django.core.checks import run_checks
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import include, path
from import_export.admin import ImportExportModelAdmin
from import_export.fields import Field
from import_export.widgets import ManyToManyWidget

from backoffice.exchange.seam import ExchangeAdmin, ExchangeResource
from tests import factories
from tests.freight.models import Carrier, Shipment

LIST = "/admin/freight/carrier/"


@pytest.fixture
def stock(settings):
    """A list with that admin, as its documentation shows it."""
    admin.site.register(Carrier, ImportExportModelAdmin)
    patterns = [path("admin/", admin.site.urls), path("", include("backoffice.urls"))]
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": patterns})
    yield
    admin.site.unregister(Carrier)


def answers(client):
    file = SimpleUploadedFile("carriers.csv", b"id,name\n,Pirates\n")
    asked = {"format": "0", "resource": "0", "carrierresource_name": "on"}
    return [
        client.get(f"{LIST}import/").status_code,
        client.post(f"{LIST}import/", {"import_file": file, "format": "0"}).status_code,
        client.post(f"{LIST}process_import/", {}).status_code,
        client.get(f"{LIST}export/").status_code,
        client.post(f"{LIST}export/", asked).status_code,
    ]


@pytest.mark.django_db
class TestTheStockAdmin:
    RIGHTS = [f"freight.{verb}_carrier" for verb in ("view", "add", "change", "delete")]

    @pytest.mark.parametrize("group", ["Auditor", "Operator", "Scheduler"])
    def test_lets_nobody_of_the_shipped_groups_import_or_export(self, stock, client, group):
        client.force_login(factories.member(group))
        assert answers(client) == [403] * 5
        assert not Carrier.objects.exists()

    def test_lets_nobody_do_so_for_the_right_to_change(self, stock, client):
        client.force_login(factories.user(*self.RIGHTS))
        assert answers(client) == [403] * 5


def told(model_admin, model=Shipment):
    """What the checks say while this is the model's admin."""
    before = admin.site._registry[model]
    admin.site._registry[model] = model_admin(model, admin.site)
    try:
        return [(message.id, f"{message.msg} {message.hint}") for message in run_checks(tags=["exchange"])]
    finally:
        admin.site._registry[model] = before


def resource(model=Shipment, key="number", **fields):
    names = ("number", "weight", "label", "carrier", *fields)
    meta = type("Meta", (), {"model": model, "import_id_fields": (key,) if key else (), "fields": names})
    return type(ExchangeResource)("Made", (ExchangeResource,), {"Meta": meta, **fields})


def with_field(name):
    meta = type("Meta", (), {"model": Shipment, "import_id_fields": ("number",), "fields": ("number", name)})
    return type(ExchangeResource)("Made", (ExchangeResource,), {"Meta": meta})


def admin_with(*resources):
    return type("Made", (ExchangeAdmin, admin.ModelAdmin), {"resource_classes": list(resources)})


def test_every_admin_of_ours_is_as_it_should_be():
    assert run_checks(tags=["exchange"]) == []


def test_a_check_names_the_mixin_and_what_is_missing():
    [(number, said)] = told(ImportExportModelAdmin)
    assert number == "exchange.W001"
    for words in ("ExchangeAdmin (backoffice.exchange.seam)", "activity log", "freight.import_shipment"):
        assert words in said


def test_a_check_names_methods_of_a_resource_that_nobody_calls():
    idle = type("Made", (resource(),), {"skip_row": lambda *_: True, "dehydrate_weight": lambda *_: "1"})
    [(number, said)] = told(admin_with(idle))
    assert number == "exchange.W002"
    assert "has skip_row, which nobody calls" in said


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ([], "needs one ExchangeResource"),
        ([resource(), resource()], "needs one ExchangeResource"),
        ([object], "needs one ExchangeResource"),
        ([resource(Carrier, "name")], "its model is not freight.Shipment"),
        ([resource(key="")], "name the one imported field by which to find a record"),
        ([resource(key="weight")], "'weight' is no unique field"),
        ([resource(key="price")], "name the one imported field by which to find a record"),
        ([resource(said=Field("said"))], "'said' is no field of the model: say readonly=True"),
        ([resource(price=Field("price"))], "'price' cannot be imported: say readonly=True"),
        ([resource(parts=Field("parts", widget=ManyToManyWidget(Carrier)))], "'parts' is no field"),
        ([resource(carrier=Field("carrier"))], "'carrier' is a relation: give it a ForeignKeyWidget"),
        ([resource(id=Field("id"))], "'id' is given by the database"),
        ([with_field("wieght")], "Meta.fields names 'wieght', which freight.Shipment has not"),
    ],
)
def test_a_resource_that_cannot_be_used_is_told_by_a_check(resources, said):
    [(number, message)] = told(admin_with(*resources))
    assert number == "exchange.E001"
    assert said in message
