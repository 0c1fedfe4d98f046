"""The page before an undo, what presses it, and what pages say of it."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.runs.change import undoable
from backoffice.runs.labels import run_title, undo_title
from backoffice.runs.models import ChangeSet, Run
from backoffice.runs.operations import undo
from backoffice.runs.registry import find
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.factories import user
from tests.probe.models import Probe
from tests.runs.clicks import page
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)
RECORD = "admin:probe_probe_change"
RIGHTS = ("probe.view_probe", "probe.change_probe", "runs.undo_run")


@pytest.fixture
def clerk(client):
    client.user = user(*RIGHTS, username="clerk")
    client.force_login(client.user)
    return client


def finished(client, number=4):
    probes(number)
    return work_off(start(Probe.objects.all(), "poke", by=client.user))


def numbers(html: str) -> dict[str, str]:
    return dict(re.findall(r'data-field="(\w+)">(?:<strong>)?([^<]*)', html))


def press(client, run, query="", **more):
    html = client.get(page(run, "undo") + query).content.decode()
    token = re.search(r'name="form_token" value="(\w+)"', html)[1]
    return client.post(page(run, "undo") + query, {"form_token": token, "confirmed": "1", **more})


def test_it_says_how_many_can_be_set_back_and_which_moved(clerk):
    run = finished(clerk)
    first, second, third, fourth = Probe.objects.order_by("pk")
    Probe.objects.filter(pk=first.pk).update(result="by hand")
    second.delete()
    work_off(undo(run, "somebody", records=[third.pk]))
    html = clerk.get(page(run, "undo")).content.decode()
    told = numbers(html)
    assert {name: told[name] for name in ("restorable", "moved", "as_before", "deleted")} == {
        "restorable": "1", "moved": "1", "as_before": "1", "deleted": "1",
    }  # fmt: skip
    assert "Changed since: result." in html
    for text in ("PROBE 0", "by hand", "messages that were sent", "what an import or a person wrote"):
        assert text in html
    assert re.findall(r'data-field="first">([^<]*)', html) == [str(fourth)]
    fields = re.search(r'data-field="fields">(.*?)</dd>', html)[1]
    assert sorted(re.sub("<[^>]+>", " ", fields).split()) == ["4", "4", "4", "Effects", "Processed", "Result"]


def test_where_nothing_can_be_set_back_there_is_no_button(clerk):
    run = finished(clerk)
    Probe.objects.update(result="by hand")
    html = clerk.get(page(run, "undo")).content.decode()
    assert numbers(html)["restorable"] == "0"
    assert "Undo the run" not in html
    assert "As the run left it: 1" in html


def test_pressing_it_starts_a_run_once_and_both_pages_name_each_other(clerk):
    run = finished(clerk)
    assert "Undo this run…" in clerk.get(page(run)).content.decode()
    html = clerk.get(page(run, "undo")).content.decode()
    sent = {"form_token": re.search(r'name="form_token" value="(\w+)"', html)[1], "confirmed": "1"}
    answer = clerk.post(page(run, "undo"), sent)
    again = Run.objects.get(undoes=run)
    assert answer.url == page(again) == clerk.post(page(run, "undo"), sent).url
    work_off(again)
    assert "4 set back, 0 left alone" in clerk.get(page(run)).content.decode()
    html = clerk.get(page(again)).content.decode()
    assert f"Undo of run {run.pk}, “Poke”" in html
    assert set(Probe.objects.values_list("result", flat=True)) == {""}


def test_an_undo_of_an_undo_is_a_redo_by_name_and_the_run_says_how_it_stands(clerk):
    run = finished(clerk)
    back = work_off(undo(run, clerk.user))
    assert "How it stands" not in clerk.get(page(run)).content.decode()
    again = work_off(undo(back, clerk.user))
    assert "Done again in 4 records, by run" in clerk.get(page(run)).content.decode()
    third = work_off(undo(again, clerk.user))
    names = {
        run: ("Poke", f"Undo run {run.pk}, “Poke”"),
        back: (f"Undo of run {run.pk}, “Poke”", f"Redo what run {back.pk} undid, “Poke”"),
        again: (f"Redo of what run {back.pk} undid, “Poke”", f"Undo run {again.pk}, “Poke”"),
        third: (f"Undo of run {again.pk}, “Poke”", f"Redo what run {third.pk} undid, “Poke”"),
    }
    for each, (name, undoing) in names.items():
        assert run_title(each) == f"Run {each.pk}: {name}"
        assert undo_title(each) == undoing
    html = clerk.get(page(back, "undo")).content.decode()
    assert names[back][1] in html
    assert "The redo is a run of its own" in html
    html = clerk.get(page(run)).content.decode()
    assert f"Undone in 4 records, by run {third.pk}." in html
    assert [html.count(word) for word in ("<dt>Undone by</dt>", "<dt>Redone by</dt>")] == [2, 1]
    assert "Done again in 4 records" in clerk.get(page(back)).content.decode()


def test_a_record_that_was_processed_since_names_only_what_has_moved(clerk):
    run = finished(clerk)
    Probe.objects.update(result="by hand", processed=True)
    ChangeSet.objects.update(fields=" result processed ", before='["",true]', after='["PROBE 0",false]')
    (first, *_others) = [line[3] for line in clerk.get(page(run, "undo")).context["lines"]]
    assert [move.label for move in first] == ["Result"]


def test_the_undos_own_page_lists_what_was_left_alone(clerk):
    run = finished(clerk)
    first, *_others = Probe.objects.order_by("pk")
    Probe.objects.filter(pk=first.pk).update(result="by hand")
    again = work_off(undo(run, clerk.user))
    html = clerk.get(page(again), {"state": "ALONE"}).content.decode()
    assert [line.item.record_id for line in clerk.get(page(again), {"state": "ALONE"}).context["page"].lines] == [
        first.pk
    ]
    for text in ("left alone", "by hand", "PROBE 0", "4 of 4 records done: 3 restored, 1 left alone"):
        assert text in html
    assert "cancelled" not in clerk.get(page(again, "progress")).json()["text"]


def test_one_record_is_undone_from_its_timeline_and_from_the_changes(clerk):
    run = finished(clerk)
    first, second, *_others = Probe.objects.order_by("pk")
    query = f"?record={first.pk}"
    record = reverse(RECORD, args=[first.pk])
    changes, asking = f"{query}&from=changes", clerk.get(page(run, "undo") + query).content.decode()
    assert f"{page(run, 'undo')}{changes}" in unescape(clerk.get(page(run, "changes")).content.decode())
    assert f"{page(run, 'undo')}{query}" in clerk.get(record).content.decode()
    assert "Undo it in this record" in asking
    for html, back, words in (
        (asking, record, "Back to the record"),
        (clerk.get(page(run, "undo") + changes).content.decode(), page(run, "changes"), "Back to what changed"),
    ):
        assert f'data-back="{back}"' in html
        assert f'href="{back}" data-way-back>{words}<' in html
    assert press(clerk, run, query).url == f"{record}#outcome"
    again = work_off(Run.objects.get(undoes=run))
    assert (again.total, again.succeeded) == (1, 1)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.result, second.result) == ("", "PROBE 1")


def test_a_reason_is_asked_for_as_the_task_says(clerk, monkeypatch):
    run = finished(clerk)
    monkeypatch.setattr(find("poke"), "reason", "required")
    assert "Say why" in press(clerk, run).content.decode()
    assert not Run.objects.filter(undoes=run).exists()
    press(clerk, run, reason="a wrong button")
    assert Run.objects.get(undoes=run).reason == "a wrong button"


REFUSED = {
    "not ended": (lambda run: Run.objects.filter(pk=run.pk).update(finished_at=None), "cancel it, then undo it"),
    "nothing changed": (lambda run: ChangeSet.objects.all().delete(), "changed nothing"),
    "no such task": (lambda run: type(run.task).objects.update(name="gone.task"), "is not here any more"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_run_that_cannot_be_undone_says_why(admin_client, why):
    make, said = REFUSED[why]
    probes(2)
    run = work_off(poke_all())
    make(run)
    html = admin_client.get(page(run, "undo")).content.decode()
    assert said in html
    assert 'id="confirm"' not in html
    assert said in admin_client.post(page(run, "undo"), {"confirmed": "1"}).content.decode()


@pytest.mark.parametrize("lacking", RIGHTS[1:])
def test_who_may_not_is_turned_away_at_the_page_and_at_the_press(client, lacking):
    somebody = user(*(set(RIGHTS) - {lacking}))
    client.force_login(somebody)
    probes(1)
    run = work_off(poke_all())
    Run.objects.update(requester=somebody)
    assert client.get(page(run, "undo")).status_code == 403
    assert client.post(page(run, "undo"), {"confirmed": "1"}).status_code == 403
    assert "Undo this run" not in client.get(page(run)).content.decode()
    Run.objects.update(requester=None)
    assert client.get(page(run, "undo")).status_code == 404
    assert not Run.objects.filter(undoes=run).exists()


def test_a_page_looks_at_so_many_and_at_all_when_asked(clerk, monkeypatch):
    monkeypatch.setattr(undoable, "AT_ONCE", 2)
    monkeypatch.setattr(undoable, "LOOKED_AT", 4)
    run = finished(clerk, 7)
    html = clerk.get(page(run, "undo")).content.decode()
    assert numbers(html)["restorable"] == "4"
    assert "Of the first 4 records" in html
    html = clerk.get(page(run, "undo"), {"whole": "1"}).content.decode()
    assert numbers(html)["restorable"] == "7"
    assert "Of the first" not in html


def test_it_asks_as_often_however_many_records_there_are(clerk):
    asked = []
    clerk.get(page(finished(clerk), "undo"))
    for number in (2, 60):
        run = finished(clerk, number)
        Probe.objects.filter(pk__in=run.items.values("record_id")[:1]).update(effects=1000 + number)
        with CaptureQueriesContext(connection) as seen:
            clerk.get(page(run, "undo"))
        asked.append(len(seen))
    assert asked[0] == asked[1] <= 20
