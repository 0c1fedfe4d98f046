"""Import and export of a team's own model (tests/freight), whose admin has the mixin and a resource."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from backoffice.exchange import export
from backoffice.exchange.columns.layout import Layout
from backoffice.exchange.comparison import values_of
from backoffice.exchange.seam import ExchangeResource
from backoffice.results.models import Activity
from backoffice.runs.pages import timeline
from tests import factories
from tests.freight.factories import shipment
from tests.freight.models import Carrier, Shipment

pytestmark = pytest.mark.django_db
LIST = "/admin/freight/shipment/"
URL, CONFIRM, EXPORT = f"{LIST}import/", f"{LIST}process_import/", f"{LIST}export/"
COLUMNS = ("number", "carrier", "weight", "due", "picked_up", "fragile", "label", "contact")
RIGHTS = [f"freight.{verb}_shipment" for verb in ("view", "add", "change")]


@pytest.fixture
def dhl():
    return Carrier.objects.create(name="DHL")


@pytest.fixture
def operator(client, dhl):
    client.force_login(factories.user(*RIGHTS))
    return client


def row(**cells):
    return {"number": "S1", "carrier": "DHL", "weight": "2.5"} | cells


def csv_of(*rows, columns=COLUMNS):
    text = io.StringIO()
    csv.writer(text).writerows([columns, *([each.get(name, "") for name in columns] for each in rows)])
    return text.getvalue().encode()


def upload(client, *rows, data=None):
    file = SimpleUploadedFile("shipments.csv", data or csv_of(*rows))
    return client.post(URL, {"import_file": file, "format": "0", "resource": "0"})


def confirm(client, preview):
    return client.post(CONFIRM, preview.context["confirm_form"].initial, follow=True)


def imported(client, *rows):
    return confirm(client, upload(client, *rows))


def messages(response):
    return " ".join(str(message) for message in response.context["messages"])


class TestAFile:
    def test_fills_fields_of_every_kind(self, operator, dhl):
        imported(operator, row(due="2026-12-24", picked_up="2026-12-01 08:00", fragile="yes", contact="a@b.de"))
        made = Shipment.objects.get()
        assert (made.carrier, made.weight, made.due, made.fragile) == (dhl, Decimal("2.5"), date(2026, 12, 24), True)
        assert (made.picked_up.tzinfo is not None, made.label, made.contact) == (True, None, "a@b.de")

    def test_that_says_the_same_in_other_digits_changes_nothing(self, operator, dhl):
        shipment(carrier=dhl)
        preview = upload(operator, row(weight="2.50"), row(number="S2", weight="1"))
        assert (preview.context["preview"].unchanged, preview.context["preview"].new) == (1, 1)

    def test_shows_names_and_not_numbers_of_other_records(self, operator, dhl):
        shipment(carrier=dhl)
        Carrier.objects.create(name="UPS")
        html = upload(operator, row(carrier="UPS")).text

        assert "<del>DHL</del>" in html
        assert "<ins>UPS</ins>" in html

    def test_looks_all_names_up_in_one_question(self, operator, dhl, django_assert_max_num_queries):
        names = [f"C{n}" for n in range(200)]
        Carrier.objects.bulk_create(Carrier(name=name) for name in names)
        rows = [row(number=name, carrier=name) for name in names]
        with django_assert_max_num_queries(25):
            preview = upload(operator, *rows)
        with django_assert_max_num_queries(60):
            confirm(operator, preview)
        assert Shipment.objects.filter(carrier__name="C7", number="C7").exists()

    def test_takes_processed_back_and_only_where_it_changes_something(self, operator, dhl):
        for number in ("S1", "S2"):
            shipment(number, dhl, processed=True)
        before = Shipment.objects.get(number="S1").edited_at
        imported(operator, row(weight="3"), row(number="S2"))
        first, second = Shipment.objects.order_by("number")
        assert (first.weight, first.processed, second.processed) == (3, False, True)
        assert first.edited_at > before

    def test_never_fills_what_a_task_writes(self, operator, dhl):
        data = csv_of(row(price="99"), columns=(*COLUMNS, "price"))
        preview = upload(operator, data=data)
        confirm(operator, preview)
        assert (preview.context["preview"].ignored, Shipment.objects.get().price) == (["price"], None)

    def test_is_logged_with_before_and_after_under_the_models_name(self, operator, dhl):
        made = shipment(carrier=dhl)
        imported(operator, row(weight="3"), row(number="S2"))
        file = Activity.objects.get(verb="record.imported")
        assert (file.target, file.model) == ("shipments.csv", "freight.shipment")
        assert file.details == {"new": 1, "update": 1, "unchanged": 0, "refused": 0}
        edit = Activity.objects.get(verb="record.edited")
        assert (edit.object_id, edit.target) == (str(made.pk), "S1 by DHL")
        assert edit.details == {"file": "shipments.csv", "changes": {"weight": ["2.50", "3"]}}
        assert Activity.objects.get(verb="record.added").target == "S2 by DHL"

    def test_is_in_the_records_timeline(self, operator, dhl):
        made = shipment(carrier=dhl)
        imported(operator, row(weight="3"))
        entries = timeline.of_record(Shipment, made.pk, factories.user(*RIGHTS), record=made)
        assert "Changed by an import" in [str(entry.title) for entry in entries.entries]


class ByNumber(ExchangeResource):
    class Meta:
        model = Shipment
        import_id_fields = ("number",)
        fields = ("number", "carrier", "weight")


class TestARelationWithoutAWidget:
    def test_goes_by_the_other_rows_number_in_and_out(self, dhl):
        layout = Layout(ByNumber)
        [values] = values_of(layout, [(2, ["S1", f" {dhl.pk} ", "1"])])
        assert layout.columns[1].stored(values[1]) == dhl.pk
        shipment(carrier=dhl)
        file, _count = export.write("csv", Shipment.objects.all(), ByNumber(), ["number", "carrier"])
        assert file.read().split()[1] == f"S1,{dhl.pk}".encode()

    @pytest.mark.parametrize("number", ["0", "DHL", "9" * 30])
    def test_that_names_no_row_is_told(self, dhl, number):
        [values] = values_of(Layout(ByNumber), [(2, ["S1", number, "1"])])
        assert values[1] == f"there is no carrier “{number}”."


BAD = [
    ({"carrier": "FedEx"}, "column carrier: there is no carrier “FedEx”."),
    ({"carrier": ""}, "column carrier: a value is needed."),
    ({"carrier": "Twice"}, "column carrier: 2 records are called “Twice” (carrier)."),
    ({"weight": "heavy"}, "column weight: “heavy” value must be a decimal number."),
    ({"weight": ""}, "column weight: a value is needed."),
    ({"weight": "1.234"}, "column weight: Ensure that there are no more than 2 decimal places."),
    ({"due": "24.12.2026"}, "column due: “24.12.2026” value has an invalid date format."),
    ({"fragile": "perhaps"}, "column fragile: “perhaps” value must be either True or False."),
    ({"contact": "nobody"}, "column contact: Enter a valid email address."),
    ({"label": "x" * 21}, "column label: the cell has 21 characters; at most 20 are taken."),
    ({"number": " "}, "column number: a value is needed."),
    ({"fragile": "1", "weight": "31"}, "What is fragile weighs 30 kg at most."),
    ({"due": "\x00"}, "column due: the cell has a null character."),
]


class TestABadRow:
    @pytest.mark.parametrize(("cells", "said"), BAD, ids=[said for _cells, said in BAD])
    def test_is_told_by_its_place_and_offers_no_confirmation(self, operator, cells, said):
        Carrier.objects.bulk_create([Carrier(name="Twice"), Carrier(name="Twice")])
        page = upload(operator, row(number="S0"), row(**cells))
        [problem] = page.context["preview"].errors
        assert problem.startswith("Row 3")
        assert said in problem
        assert "confirm_form" not in page.context

    def test_of_a_record_there_is_is_checked_with_what_the_file_does_not_say(self, operator, dhl):
        shipment(carrier=dhl, fragile=True)
        page = upload(operator, row(weight="31", fragile="yes"))
        assert "30 kg" in page.context["preview"].errors[0]

    @pytest.mark.parametrize(
        ("first", "second", "said"),
        [
            ({}, {"weight": "0"}, "Nothing was imported. Row 3: Nothing weighs nothing."),
            ({}, {"label": "taken"}, "Nothing was imported. Row 3: Shipment with this Label already exists."),
            ({"label": "x"}, {"label": "x"}, "Nothing was imported. Row 3: Shipment with this Label already exists."),
        ],
    )
    def test_that_the_database_refuses_imports_nothing_and_is_told(self, operator, dhl, first, second, said):
        shipment("S0", dhl, label="taken")
        done = imported(operator, row(**first), row(number="S2", **second))
        assert said in messages(done)
        assert Shipment.objects.count() == 1
        assert not Activity.objects.filter(verb__startswith="record.").exists()


class TestAnExport:
    def asked(self, columns=(*COLUMNS, "price"), **fields):
        return {f"shipmentresource_{name}": "on" for name in columns} | {"format": "0", "resource": "0"} | fields

    def test_comes_back_without_a_change(self, operator, dhl):
        for number in range(3):
            shipment(f"=S{number}", dhl, due="2026-12-24", picked_up="2026-12-01T08:00Z", fragile=number == 1, price=5)
        data = b"".join(operator.post(EXPORT, self.asked()).streaming_content)
        assert b"'=S1,DHL,2.50,2026-12-24" in data
        preview = upload(operator, data=data).context["preview"]
        assert (preview.errors, preview.changes, preview.unchanged) == ([], 0, 3)

    def test_is_in_the_order_of_the_list(self, operator, dhl):
        for number, weight in (("S1", 1), ("S2", 3), ("S3", 2)):
            shipment(number, dhl, weight=weight)
        answer = operator.post(f"{EXPORT}?o=-3", self.asked(("number",)))
        assert b"".join(answer.streaming_content).split()[1:] == [b"S2", b"S3", b"S1"]

    def test_of_a_selection_has_only_that_and_is_logged(self, operator, dhl):
        chosen, _other = shipment(carrier=dhl), shipment("S2", dhl)
        page = operator.post(LIST, {"action": "export_selected", "_selected_action": [chosen.pk], "index": "0"})
        items = page.context["form"]["export_items"].value()
        answer = operator.post(page.context["export_url"], self.asked(("number",), export_items=items))
        assert b"".join(answer.streaming_content).split()[1:] == [b"S1"]
        entry = Activity.objects.get(verb="record.exported")
        assert (entry.model, entry.details["count"], entry.target[:10]) == ("freight.shipment", 1, "shipments-")


def routes(client):
    """What somebody gets at each: the import's page, an upload, the confirming address, the export's page and file."""
    made = Shipment.objects.create(number="S9", carrier=Carrier.objects.get(), weight=1)
    answers = {
        "page": client.get(URL),
        "upload": upload(client, row()),
        "confirm": client.post(CONFIRM, {}),
        "export": client.get(EXPORT),
        "file": client.post(EXPORT, TestAnExport().asked()),
    }
    picked = client.post(LIST, {"action": "export_selected", "_selected_action": [made.pk], "index": "0"})
    found = {name: answer.status_code for name, answer in answers.items()}
    return found | {"picked": "export_url" in (getattr(picked, "context", None) or {})}


IMPORT, OUT = ("page", "upload", "confirm"), ("export", "file")


class TestWhoMay:
    def test_import_and_export_whoever_may_see_add_and_change(self, operator):
        assert routes(operator) == {
            "page": 200,
            "upload": 200,
            "confirm": 302,
            "export": 200,
            "file": 200,
            "picked": True,
        }
        assert URL in operator.get(LIST).text

    @pytest.mark.parametrize("verb", ["import", "export"])
    def test_need_a_right_of_its_own_where_the_model_declares_one(self, operator, monkeypatch, verb):
        monkeypatch.setattr(Shipment._meta, "default_permissions", ("add", "change", "delete", "view", verb))
        found = routes(operator)
        assert {found[name] for name in (IMPORT if verb == "import" else OUT)} == {403}
        assert {found[name] for name in (OUT if verb == "import" else IMPORT)} <= {200, 302}

    @pytest.mark.parametrize("missing", ["add", "change"])
    def test_export_only_who_lacks_one_of_them(self, client, dhl, missing):
        client.force_login(factories.user(*(right for right in RIGHTS if missing not in right)))
        found = routes(client)
        assert [found[name] for name in (*IMPORT, *OUT)] == [403, 403, 403, 200, 200]
        assert URL not in client.get(LIST).text

    def test_export_only_an_auditor_who_may_see_the_list(self, client, dhl):
        auditor = factories.member("Auditor")
        auditor.user_permissions.add(*factories.user(RIGHTS[0]).user_permissions.all())
        client.force_login(auditor)
        found = routes(client)
        assert [found[name] for name in (*IMPORT, *OUT)] == [403, 403, 403, 200, 200]

    @pytest.mark.parametrize("who", [factories.user, lambda: factories.member("Operator")])
    def test_do_nothing_at_all_who_has_no_right_to_the_model(self, client, dhl, who):
        client.force_login(who())
        found = routes(client)
        assert [found[name] for name in (*IMPORT, *OUT)] == [403] * 5
        assert not found["picked"]
        assert not Activity.objects.filter(verb__startswith="record.").exists()

    def test_are_strangers_sent_to_the_sign_in(self, client, dhl):
        assert [client.get(url).status_code for url in (URL, EXPORT)] == [302, 302]
        assert client.post(CONFIRM, {})["Location"].startswith("/admin/login/")
