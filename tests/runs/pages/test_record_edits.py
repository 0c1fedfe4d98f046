"""What staff do to records of any kind is in the activity log with before and after, and a changed input asks for
processing again."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Group
from django.http import QueryDict
from django.test import RequestFactory
from django.test.utils import isolate_apps
from django.utils.http import urlencode
from unfold.admin import ModelAdmin, TabularInline

from backoffice.results import activity
from backoffice.results.models import Activity
from backoffice.runs.models.paths import path
from backoffice.runs.pages import record_log, timeline
from backoffice.runs.registry import find
from backoffice.runs.seam import ProcessableAdmin
from records.models import YourModel
from tests import factories
from tests.desk.parts.listed import Page
from tests.probe.models import Kinds, Part, Probe
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db
LIST = "/admin/second/invoice/"


@pytest.fixture
def boss(client):
    client.user = factories.user(is_superuser=True)
    client.force_login(client.user)
    return client


def invoice(**fields: Any) -> Invoice:
    return Invoice.objects.create(**{"number": "I1", "net": 1, "gross": 2, "processed": True} | fields)


def page(row: Any) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def sent_back(client, url, **changes):
    """The form of a page as a browser sends it."""
    form = next(form for form in Page(client.get(url).text).forms if form.id.endswith("_form"))
    return client.post(url, dict(form.fields) | changes)


def logged(verb: str) -> list[tuple[str, str, dict[str, Any]]]:
    rows = Activity.objects.filter(verb=verb).order_by("pk")
    return [(row.actor, row.target, row.details) for row in rows]


class TestAForm:
    def test_says_who_changed_what_from_which_value(self, boss):
        made = invoice()
        assert sent_back(boss, page(made), net="5").status_code == 302
        assert logged("record.edited") == [(boss.user.username, "I1", {"changes": {"net": ["1.00", "5"]}})]

    def test_takes_processed_back_and_leaves_the_outcome(self, boss):
        made = invoice()
        sent_back(boss, page(made), net="5")
        made.refresh_from_db()
        assert (made.net, made.gross, made.processed) == (Decimal(5), Decimal(2), False)

    def test_sent_back_as_it_was_changes_and_logs_nothing(self, boss):
        made = invoice()
        sent_back(boss, page(made))
        made.refresh_from_db()
        assert made.processed
        assert logged("record.edited") == []

    def test_of_a_new_record_is_logged(self, boss):
        sent_back(boss, f"{LIST}add/", number="I9", net="3")
        assert logged("record.added") == [(boss.user.username, "I9", {"values": {"number": "I9", "net": "3"}})]


class TestAList:
    @pytest.fixture(autouse=True)
    def with_cells(self, monkeypatch):
        monkeypatch.setattr(type(admin.site._registry[Invoice]), "list_editable", ("net",), raising=False)

    def typed(self, client, row, net):
        """The list's form as a browser sends it, with one cell changed."""
        form = next(form for form in Page(client.get(LIST).text).forms if form.id == "changelist-form")
        cell = next(name for name, value in form.fields if name.endswith("-id") and value == str(row.pk))
        sent = dict(form.fields) | {cell.replace("-id", "-net"): net, "_save": "1"}
        sent.pop("action", None)
        return sent

    def test_with_cells_to_edit_logs_each_record_that_changed(self, boss):
        first, second = invoice(), invoice(number="I2")
        assert boss.post(LIST, self.typed(boss, second, "7")).status_code == 302
        assert logged("record.edited") == [(boss.user.username, "I2", {"changes": {"net": ["1.00", "7"]}})]
        assert list(Invoice.objects.filter(processed=True)) == [first]

    def test_keeps_an_outcome_that_came_while_it_was_open(self, boss):
        made = invoice(gross=None, processed=False)
        sent = self.typed(boss, made, "7")
        Invoice.objects.update(gross=99, processed=True)
        assert boss.post(LIST, sent).status_code == 302
        made.refresh_from_db()
        assert (made.net, made.gross, made.processed) == (Decimal(7), Decimal(99), False)

    def test_is_not_saved_over_what_somebody_else_saved_meanwhile(self, boss):
        first, second = invoice(), invoice(number="I2")
        sent = self.typed(boss, second, "7")
        Invoice.objects.filter(pk=first.pk).update(net=3)
        answer = boss.post(LIST, sent)
        assert "Somebody changed these rows after you opened the page" in answer.text
        assert list(Invoice.objects.order_by("pk").values_list("net", flat=True)) == [Decimal(3), Decimal(1)]
        assert logged("record.edited") == []


class TestDeleting:
    def test_keeps_what_the_record_said(self, boss):
        made = invoice()
        boss.post(f"{LIST}{made.pk}/delete/", {"post": "yes"})
        values = {"number": "I1", "net": "1.00", "gross": "2.00", "processed": True, "processed_at": None}
        assert logged("record.deleted") == [(boss.user.username, "I1", {"values": values})]

    @pytest.mark.parametrize("across", ["0", "1"])
    def test_a_selection_is_logged_record_by_record(self, boss, across):
        chosen = [invoice(number=f"I{n}").pk for n in range(3)]
        boss.post(LIST, {
            "action": "delete_selected", "select_across": across, "index": "0", ACTION_CHECKBOX_NAME: chosen,
            "post": "yes", "shown": "3",
        })  # fmt: skip
        assert not Invoice.objects.exists()
        assert [target for _who, target, _details in logged("record.deleted")] == ["I0", "I1", "I2"]

    def test_another_row_logs_the_records_that_go_with_it(self, boss):
        whole = Probe.objects.create(text="whole")
        Part.objects.bulk_create([Part(whole=whole, name=name) for name in ("one", "two")])
        boss.post(f"/admin/probe/probe/{whole.pk}/delete/", {"post": "yes"})
        assert not Part.objects.exists()
        gone = {(row.model, row.target) for row in Activity.objects.filter(verb="record.deleted")}
        assert gone == {("probe.probe", str(whole)), ("probe.part", "one"), ("probe.part", "two")}

    def test_a_row_that_records_name_logs_what_they_lose(self, boss, monkeypatch):
        monkeypatch.setattr(find("fill_kinds"), "reads", ("owner",))
        anna = factories.user(username="anna")
        row = Kinds.objects.create(owner=anna, processed=True)
        boss.post(f"/admin/auth/user/{anna.pk}/delete/", {"post": "yes"})
        row.refresh_from_db()
        assert (row.owner, row.processed) == (None, False)
        changes = {"owner": [f"anna ({anna.pk})", None]}
        assert logged("record.edited") == [(boss.user.username, str(row), {"changes": changes})]


class PartsInline(TabularInline):
    model = Part
    fields = ("name", "note")
    extra = 1


class TestRowsOfAnotherPage:
    @pytest.fixture
    def whole(self, monkeypatch):
        monkeypatch.setattr(type(admin.site._registry[Probe]), "inlines", (PartsInline,))
        return Probe.objects.create(text="whole", result="r")

    def test_are_logged_as_the_records_they_are(self, boss, whole):
        old, gone = (Part.objects.create(whole=whole, name=name, processed=True) for name in ("old", "gone"))
        answer = sent_back(
            boss, page(whole),
            **{"parts-0-name": "other", "parts-1-DELETE": "on", "parts-2-name": "new", "parts-2-note": "n"},
        )  # fmt: skip
        assert answer.status_code == 302
        changes = {"name": ["old", "other"], "length": [3, 5]}
        assert logged("record.edited") == [(boss.user.username, "other", {"changes": changes})]
        assert [entry[1] for entry in logged("record.added") + logged("record.deleted")] == ["new", "gone"]
        old.refresh_from_db()
        assert (old.name, old.processed) == ("other", False)


class TestARowThatRecordsLeadTo:
    @pytest.fixture
    def parts(self):
        wholes = [Probe.objects.create(text=text, result="r") for text in ("mine", "other")]
        return [Part.objects.create(whole=whole, name="n", processed=True) for whole in wholes]

    def processed(self):
        return list(Part.objects.order_by("pk").values_list("processed", flat=True))

    def test_takes_them_back_where_a_task_reads_what_changed(self, boss, parts):
        sent_back(boss, page(parts[0].whole), text="new")
        assert self.processed() == [False, True]

    def test_leaves_them_where_none_does(self, boss, parts):
        sent_back(boss, page(parts[0].whole), behaviour="slow")
        assert self.processed() == [True, True]

    @pytest.mark.parametrize(("name", "left"), [("last_name", False), ("first_name", True)])
    def test_need_not_be_a_record_itself(self, boss, monkeypatch, name, left):
        monkeypatch.setattr(find("fill_kinds"), "related", (path(Kinds, "owner__last_name"),))
        anna = factories.user(username="anna")
        kinds = Kinds.objects.create(owner=anna, processed=True)
        assert sent_back(boss, page(anna), **{name: "New"}).status_code == 302
        kinds.refresh_from_db()
        assert kinds.processed is left


class TestWhatIsLogged:
    def edit(self, row, **typed):
        """Through the form of an admin that a team might write."""
        request = RequestFactory().post("/")
        request.user = factories.user(is_superuser=True)
        shown = type("Shown", (ProcessableAdmin, ModelAdmin), {"fields": tuple(typed)})(type(row), admin.site)
        values = QueryDict(urlencode(typed, doseq=True))
        form = shown.get_form(request, row, change=True)(values, instance=type(row).objects.get(pk=row.pk))
        assert form.is_valid(), form.errors
        shown.save_model(request, shown.save_form(request, form, change=True), form, change=True)
        shown.save_related(request, form, [], change=True)
        return logged("record.edited")[-1][2]["changes"]

    def test_holds_what_the_models_own_save_changes_too(self):
        row = Part.objects.create(whole=Probe.objects.create(), name="long")
        assert self.edit(row, name="longer") == {"name": ["long", "longer"], "length": [4, 6]}

    def test_a_field_that_no_task_reads_leaves_it_processed(self):
        row = Part.objects.create(whole=Probe.objects.create(), name="n", processed=True)
        assert self.edit(row, note="seen") == {"note": ["", "seen"]}
        row.refresh_from_db()
        assert row.processed

    def test_another_row_has_its_name_and_number(self):
        anna, bert = factories.user(username="anna"), factories.user(username="bert")
        row = Kinds.objects.create(owner=anna)
        said = {"owner": [f"anna ({anna.pk})", f"bert ({bert.pk})"]}
        assert self.edit(row, owner=bert.pk) == said

    def test_rows_named_by_the_many_have_theirs(self):
        row = Part.objects.create(whole=Probe.objects.create(), name="n")
        old, new = (Group.objects.create(name=name) for name in ("old", "new"))
        row.groups.add(old)
        said = {"groups": [[f"old ({old.pk})"], [f"new ({new.pk})"]]}
        assert self.edit(row, groups=[new.pk]) == said

    @pytest.mark.parametrize("name", [field.name for field in Kinds._meta.concrete_fields if field.name != "id"])
    def test_any_kind_of_value_can_be_kept(self, name):
        row, empty = Kinds(number=7, owner=factories.user()), Kinds(number=8)
        row.process()
        row.save(), empty.save()
        field = Kinds._meta.get_field(name)
        record_log.log_edit(None, row, {name: record_log.pair(field, empty, row)})
        record_log.log_deletion(None, Kinds.objects.all())
        assert len(logged("record.deleted")) == 2

    def test_a_number_that_is_none_can_be_kept(self):
        row = Kinds.objects.create(ratio=1.5)
        record_log.log_edit(None, row, {"ratio": [float("nan"), float("inf")]})
        assert logged("record.edited")[0][2]["changes"] == {"ratio": ["nan", "inf"]}


def test_each_kind_of_record_is_asked_for_its_own_inputs():
    asked = {
        (Invoice, "net"): True, (Invoice, "gross"): False, (Invoice, "processed"): False,
        (YourModel, "town"): True, (YourModel, "verdict"): False, (Part, "name"): True, (Part, "note"): False,
    }  # fmt: skip
    assert {key: record_log.takes_back(key[0], [key[1]]) for key in asked} == asked


@isolate_apps("tests.second")
def test_an_edit_under_another_name_of_the_rows_is_in_their_timeline(boss):
    class Reminder(Invoice):
        """The same rows, as a second list of them would have it."""

        class Meta:
            proxy = True
            app_label = "second"

    kept = invoice()
    activity.log(boss.user, "record.edited", Reminder._base_manager.get(pk=kept.pk), changes={"net": ["1", "2"]})
    assert [made.model for made in Activity.objects.filter(verb="record.edited")] == ["second.invoice"]
    for model in (Invoice, Reminder):
        told = timeline.of_record(model, kept.pk, boss.user)
        assert len(told.entries) == 1, model
