"""Before a run that asks something, or writes what people write, a page says what will happen; then it happens once."""

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from backoffice.results.models import Activity
from backoffice.runs.models import Run
from backoffice.runs.pages.confirmation.page import edited_by_people
from backoffice.runs.registry import find
from backoffice.runs.seam import start
from backoffice.testing import work_off
from tests.factories import user
from tests.probe import tasks
from tests.probe.models import Probe
from tests.runs.clicks import INVOICES, invoices, page
from tests.runs.factories import probes
from tests.second.admin import InvoiceAdmin
from tests.second.models import Invoice
from tests.second.tasks import tax_invoice

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "admin:probe_probe_changelist"


@pytest.fixture
def clerk(client):
    client.force_login(
        user(
            *("probe.view_probe", "probe.change_probe", "second.view_invoice", "second.change_invoice"),
            username="clerk",
        )
    )
    return client


def say(client, picked, query="", **extra):
    data = {"action": "say_selected", "index": "0", "_selected_action": picked, "form_token": "t", **extra}
    return client.post(reverse(LIST) + query, data)


def inputs(html: str) -> dict[str, list[str]]:
    """What a browser sends of the form, without what is typed."""
    form = html.partition('id="confirm"')[2].partition("</form>")[0]
    found: dict[str, list[str]] = {}
    for tag in re.findall(r'<input type="hidden"[^>]*>', form):
        name, value = (re.search(rf'{each}="([^"]*)"', tag)[1] for each in ("name", "value"))
        found.setdefault(name, []).append(value)
    return found


def test_the_page_names_the_action_how_many_which_and_who_is_left_out(clerk):
    ids = [probe.pk for probe in probes(5)]
    start(ids[:1], "say", parameters={"word": "x"})
    answer = say(clerk, ids)
    html = answer.content.decode()
    shown = {
        name: re.search(rf'data-field="{name}"[^>]*>(.*?)</dd>', html)[1] for name in ("action", "eligible", "first")
    }
    assert (shown["action"], shown["eligible"]) == ("<strong>Say a word</strong>", "<strong>4</strong>")
    assert shown["first"].split("<br>") == [f"Probe object ({pk})" for pk in ids[1:4]]
    assert "already in an active run" in html
    assert Run.objects.count() == 1


def test_what_is_answered_reaches_the_run_and_the_function(clerk):
    ids = [probe.pk for probe in probes(2)]
    sent = inputs(say(clerk, ids).content.decode())
    answer = clerk.post(
        reverse(LIST), {**sent, "set-word": "a", "set-times": "2", "set-ends": ["!", "?"], "set-loud": "on"}
    )
    run = Run.objects.get()
    assert answer.url == page(run)
    assert run.parameters == {"word": "a", "times": "2", "ends": ["!", "?"], "loud": "on"}
    work_off(run)
    assert set(Probe.objects.values_list("result", flat=True)) == {"AA!?"}
    assert Activity.objects.get(verb="run.started").details["parameters"]["word"] == "a"


def test_what_is_wrong_is_told_at_its_field_and_the_selection_is_kept(clerk):
    ids = [probe.pk for probe in probes(2)]
    sent = inputs(say(clerk, ids, "?q=probe").content.decode())
    answer = clerk.post(reverse(LIST) + "?q=probe", {**sent, "set-word": "<b>", "set-times": "9", "set-group": "7"})
    html = answer.content.decode()
    assert (answer.status_code, Run.objects.count()) == (200, 0)
    assert "Ensure this value is less than or equal to 3." in html
    assert "Select a valid choice." in html
    assert 'value="&lt;b&gt;"' in html
    assert re.search(r'<input[^>]*name="set-times"[^>]*autofocus', html)  # the first that is wrong
    again = inputs(html)
    assert again["_selected_action"] == sent["_selected_action"] == list(map(str, ids))
    clerk.post(reverse(LIST) + "?q=probe", {**again, "set-word": "a"})
    assert Run.objects.get().total == 2


def test_an_error_of_the_whole_form_is_told_too(clerk):
    ids = [probe.pk for probe in probes(1)]
    html = say(clerk, ids, confirmed="1", **{"set-word": "secret"}).content.decode()
    assert "Nobody says that." in html


def test_a_crafted_post_without_the_questions_starts_nothing(clerk):
    ids = [probe.pk for probe in probes(1)]
    assert "This field is required." in say(clerk, ids, confirmed="1").content.decode()
    answer = say(clerk, ids, confirmed="1", **{"set-word": "a", "set-nothing": "x"})
    assert (answer.status_code, Run.objects.count()) == (302, 0)  # back at the list, with the sentence


def test_a_doubled_answer_is_one_run_and_another_answer_is_another(clerk):
    ids = [probe.pk for probe in probes(2)]
    first = say(clerk, ids, confirmed="1", **{"set-word": "a"})
    assert say(clerk, ids, confirmed="1", **{"set-word": "a"}).url == first.url
    work_off(Run.objects.get())
    assert say(clerk, ids, confirmed="1", **{"set-word": "b"}).url != first.url
    work_off(Run.objects.latest("pk"))
    tasks.say.reason = "optional"
    try:
        say(clerk, ids, confirmed="1", reason="one", **{"set-word": "b"})
        work_off(Run.objects.latest("pk"))
        say(clerk, ids, confirmed="1", reason="two", **{"set-word": "b"})
    finally:
        tasks.say.reason = ""
    assert list(Run.objects.order_by("pk").values_list("parameters__word", "reason")) == [
        ("a", ""), ("b", ""), ("b", "one"), ("b", "two"),
    ]  # fmt: skip


def tax(client, picked, **extra):
    return client.post(reverse(INVOICES), {"action": "tax_selected", "index": "0", "_selected_action": picked, **extra})


@pytest.mark.parametrize(
    ("reason", "setting", "asks"),
    [("", "", False), ("optional", "", False), ("required", "", True), ("", "required", True)],
)
def test_it_comes_where_a_reason_is_required(clerk, settings, monkeypatch, reason, setting, asks):
    settings.RUNS_REASON = setting
    monkeypatch.setattr(tax_invoice, "reason", reason)
    picked = invoices(2)
    answer = tax(clerk, picked)
    assert (answer.status_code == 200, Run.objects.exists()) == (asks, not asks)
    if asks:
        assert "Say why" in tax(clerk, picked, confirmed="1", reason="  ").content.decode()
        tax(clerk, picked, confirmed="1", reason="because")
        assert Run.objects.get().reason == "because"


def test_it_comes_above_the_bound_and_asks_the_reason_that_may_be_given(clerk, settings, monkeypatch):
    settings.RUNS_CONFIRM_ABOVE = 3
    monkeypatch.setattr(tax_invoice, "reason", "optional")
    picked = invoices(4)
    for extra in ({}, {"select_across": "1"}):
        answer = tax(clerk, picked, **extra)
        assert (answer.status_code, 'name="reason"' in answer.content.decode()) == (200, True)
    tax(clerk, picked, confirmed="1")
    assert Run.objects.get().reason == ""


def test_it_comes_where_the_task_writes_what_people_edit(clerk, monkeypatch):
    picked = invoices(2)
    monkeypatch.setattr(tax_invoice, "writes", ("net", "processed"))
    assert tax(clerk, picked).status_code == 200
    monkeypatch.setattr(InvoiceAdmin, "readonly_fields", ("net",))
    assert tax(clerk, picked).status_code == 302


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({}, {"number", "net"}),
        ({"exclude": ("net",)}, {"number"}),
        ({"fields": (("number", "gross"),)}, {"number"}),
        ({"fieldsets": ((None, {"fields": (("net",), "processed")}),)}, {"net"}),
        ({"readonly_fields": ("net", "number")}, set()),
    ],
)
def test_people_edit_what_the_form_has(monkeypatch, declared, found):
    from django.contrib import admin

    for name, value in declared.items():
        monkeypatch.setattr(InvoiceAdmin, name, value)
    assert edited_by_people(admin.site._registry[Invoice]) == found


def test_the_button_on_a_record_asks_the_same(clerk):
    probe = probes(1)[0]
    url = reverse("admin:probe_probe_run", args=[probe.pk, "say_selected"])
    html = clerk.post(url, {"form_token": "t"}).content.decode()
    assert "Start the run over 1 record" in html
    assert f'data-back="{reverse("admin:probe_probe_change", args=[probe.pk])}"' in html
    assert "Back to the record" in html
    assert not Run.objects.exists()
    clerk.post(url, {**inputs(html), "set-word": ""})
    assert not Run.objects.exists()
    answer = clerk.post(url, {**inputs(html), "set-word": "a"})
    here = reverse("admin:probe_probe_change", args=[probe.pk])
    assert (answer.url, Run.objects.get().parameters["word"]) == (f"{here}#outcome", "a")


def test_a_row_chosen_on_the_page_and_deleted_before_it_is_confirmed_is_refused_there(clerk):
    ids = [probe.pk for probe in probes(1)]
    group = Group.objects.create(name="readers")
    sent = inputs(say(clerk, ids).content.decode())
    Group.objects.all().delete()
    html = clerk.post(reverse(LIST), {**sent, "set-word": "a", "set-group": group.pk}).content.decode()
    assert "Select a valid choice." in html


def test_without_the_permission_nobody_is_asked(client):
    client.force_login(user("probe.view_probe", username="viewer"))
    ids = [probe.pk for probe in probes(1)]
    assert "set-word" not in say(client, ids).content.decode()
    assert client.post(reverse("admin:probe_probe_run", args=[ids[0], "say_selected"])).status_code == 403


@pytest.mark.parametrize("keeps", [True, False])
def test_an_undo_is_spoken_of_only_where_the_task_keeps_what_was_there(clerk, monkeypatch, keeps):
    monkeypatch.setattr(find("say"), "change_sets", keeps)
    html = say(clerk, [probe.pk for probe in probes(2)]).content.decode()
    assert ("until the run is undone" in html) is keeps
