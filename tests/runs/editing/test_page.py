"""The page on which fields of selected records are set: a tick beside each input says which count."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from backoffice.runs.models import Run
from backoffice.testing import work_off
from tests.factories import user
from tests.freight.factories import shipment
from tests.freight.models import Carrier, Shipment

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/freight/shipment/"
EVERY = {"set-carrier": "", "set-weight": "", "set-due": "", "set-picked_up": "", "set-fragile": "", "set-contact": ""}


@pytest.fixture
def clerk(client) -> User:
    client.user = user("freight.view_shipment", "freight.change_shipment", username="clerk")
    client.force_login(client.user)
    return client


def ask(client, *picked, **more):
    ids = [row.pk for row in picked]
    return client.post(
        LIST, {"action": "edit_selected", "index": "0", "_selected_action": ids, "form_token": "t", **more}
    )


def confirm(client, *picked, given=(), **values):
    """As a browser sends it: every input, and the ticks."""
    sent = EVERY | {f"set-{name}": value for name, value in values.items()}
    return ask(client, *picked, confirmed="1", given=given, **sent)


def tag(html: str, name: str, value: str = "") -> str:
    of_value = f'[^>]*value="{value}"' if value else ""
    return re.search(rf'<(?:input|select)[^>]*name="{name}"{of_value}[^>]*>', html)[0]


def test_it_offers_what_the_records_form_has_and_nothing_is_ticked(clerk):
    html = ask(clerk, shipment()).content.decode()
    assert re.findall(r'name="given" value="(\w+)"', html) == [name.removeprefix("set-") for name in EVERY]
    assert " checked>" not in html.partition('id="confirm"')[2]
    assert 'type="date"' in tag(html, "set-due")
    assert 'type="datetime-local"' in tag(html, "set-picked_up")
    assert 'aria-label="Set Contact"' in tag(html, "given", "contact")


def test_what_is_ticked_is_set_and_what_is_only_typed_is_not(clerk):
    row, other = shipment("S1"), shipment("S2")
    answer = confirm(clerk, row, given=["contact"], contact="anna@example.com", weight="7")
    run = Run.objects.get()
    assert answer.url == reverse("admin:runs_run_change", args=[run.pk])
    assert run.parameters == {"contact": "anna@example.com"}
    work_off(run)
    assert list(Shipment.objects.order_by("pk").values_list("contact", "weight")) == [
        ("anna@example.com", row.weight),
        ("", other.weight),
    ]
    html = clerk.get(answer.url).content.decode()
    assert "anna@example.com" in html
    assert "Weight" not in re.search(r"<dl.*?</dl>", html, re.DOTALL)[0]


def test_an_empty_input_that_is_ticked_empties_the_field(clerk):
    row = shipment(due="2030-01-02", contact="a@b.cc")
    confirm(clerk, row, given=["due"])
    work_off(Run.objects.get())
    row.refresh_from_db()
    assert (row.due, row.contact) == (None, "a@b.cc")


def test_who_ticks_nothing_is_told_and_what_was_typed_stays(clerk):
    html = confirm(clerk, shipment(), weight="7").content.decode()
    assert "Choose at least one field." in html
    assert 'value="7"' in tag(html, "set-weight")
    assert not Run.objects.exists()


def test_what_is_wrong_is_told_at_its_input_with_ticks_and_values_kept(clerk):
    html = confirm(clerk, shipment(), given=["weight", "contact"], weight="heavy", contact="a@b.cc").content.decode()
    assert "Enter a number." in html
    assert "This field is required" not in html  # of what is not ticked nothing is asked
    assert " checked>" in tag(html, "given", "weight")
    assert " checked>" not in tag(html, "given", "due")
    assert 'value="a@b.cc"' in tag(html, "set-contact")


@pytest.mark.parametrize("crafted", ["number", "price", "processed", "edited_at", "id", "nothing"])
def test_a_crafted_post_sets_no_other_field(clerk, crafted):
    answer = confirm(clerk, shipment(), given=[crafted], **{crafted: "1"})
    assert (answer.status_code, Run.objects.exists()) == (200, False)


def test_other_ticks_are_another_click(clerk):
    row = shipment()
    first = confirm(clerk, row, given=["contact"])
    assert confirm(clerk, row, given=["contact"]).url == first.url
    work_off(Run.objects.get())
    assert confirm(clerk, row, given=["contact", "due"]).url != first.url


def test_who_may_not_change_the_records_is_offered_nothing_and_starts_nothing(client):
    client.force_login(user("freight.view_shipment", username="viewer"))
    row = shipment()
    assert "edit_selected" not in client.get(LIST).content.decode()
    confirm(client, row, given=["contact"], contact="a@b.cc")
    assert not Run.objects.exists()
    button = reverse("admin:freight_shipment_run", args=[row.pk, "edit_selected"])
    assert client.post(button, {"confirmed": "1"}).status_code == 403


def test_the_page_of_one_record_has_its_form_and_no_button_for_that(clerk):
    row = shipment()
    button = reverse("admin:freight_shipment_run", args=[row.pk, "edit_selected"])
    assert button not in clerk.get(f"{LIST}{row.pk}/change/").content.decode()
    assert clerk.post(button, {"confirmed": "1", "given": "contact"}).status_code == 403


def test_few_rows_of_another_table_are_listed_many_are_not(clerk, monkeypatch):
    row = shipment()
    assert f'<option value="{row.carrier_id}">DHL' in ask(clerk, row).content.decode()
    Carrier.objects.bulk_create([Carrier(name=f"C{n}") for n in range(100)])
    html = ask(clerk, row).content.decode()
    assert 'type="text"' in tag(html, "set-carrier")
    assert "The number of a carrier." in html
    confirm(clerk, row, given=["carrier"], carrier=str(Carrier.objects.latest("pk").pk))
    assert work_off(Run.objects.get()).succeeded == 1
    assert Shipment.objects.get().carrier.name == "C99"


@pytest.fixture
def searched_carriers():
    class Carriers(admin.ModelAdmin):
        search_fields = ("name",)

    admin.site.register(Carrier, Carriers)
    yield
    admin.site.unregister(Carrier)


def test_many_rows_that_can_be_searched_are(clerk, searched_carriers):
    row = shipment()
    Carrier.objects.bulk_create([Carrier(name=f"C{n}") for n in range(100)])
    html = ask(clerk, row).content.decode()
    assert 'data-field-name="carrier"' in tag(html, "set-carrier")
    assert html.count("<option") < 20
    html = confirm(clerk, row, given=["carrier", "weight"], carrier=str(row.carrier_id), weight="x").content.decode()
    assert re.search(rf'<option value="{row.carrier_id}" selected[^>]*>\s*DHL', html)
