"""What a run changed is told on a page of its own, and on the record's timeline with plain calls' changes."""

import re

import pytest
from django.contrib import admin

from backoffice.runs.change import shown
from backoffice.runs.models import ChangeSet
from backoffice.runs.pages import timeline
from backoffice.testing import work_off
from tests.factories import user
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db


def url(run) -> str:
    return f"/admin/runs/run/{run.pk}/changes/"


@pytest.fixture
def boss(client):
    made = user(is_superuser=True)
    client.force_login(made)
    return made


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())


@pytest.fixture
def run():
    probes(2)
    Probe.objects.filter(text="probe 1").update(processed=True, result="PROBE 1")
    return work_off(poke_all())


def test_the_page_tells_how_often_each_field_changed_and_what_was_there_before(client, boss, run):
    response = client.get(url(run))
    told = words(response.content.decode())
    counts = [(each.label, each.number) for each in response.context["fields"].fields]
    assert counts == [("Effects", 2), ("Result", 1), ("Processed", 1)]
    assert "Result before: empty → after: PROBE 0" in told
    assert "Processed before: no → after: yes" in told
    assert "Effects before: 0 → after: 1" in told
    assert url(run) in client.get(f"/admin/runs/run/{run.pk}/change/").content.decode()


def test_by_a_field_it_lists_the_records_in_which_that_changed(client, boss, run):
    assert len(client.get(url(run)).context["lines"]) == 2
    assert len(client.get(url(run), {"field": "result"}).context["lines"]) == 1
    for other in ("resul", "x", "\x00", "%", "' OR 1"):
        assert len(client.get(url(run), {"field": other}).context["lines"]) == (2 if other == "\x00" else 0)


def test_its_pages_go_by_key(client, boss, monkeypatch):
    monkeypatch.setattr(shown, "PAGE", 2)
    ids = [probe.pk for probe in probes(5)]
    run, seen, after = work_off(poke_all()), [], ""
    for _ in range(3):
        page = client.get(url(run), {"after": after, "field": "effects"}).context["page"]
        seen += [row.record_id for row in page.rows]
        after = page.next_after
    assert (seen, after) == (ids, None)


def test_as_many_questions_are_asked_for_two_records_as_for_forty(client, boss, django_assert_num_queries, run):
    client.get(url(run))
    with django_assert_num_queries(8) as few:
        client.get(url(run))
    probes(38)
    many = work_off(poke_all())
    with django_assert_num_queries(len(few)):
        client.get(url(many))


def test_of_many_records_the_first_are_counted_and_all_when_asked_for(client, boss, monkeypatch):
    monkeypatch.setattr(shown, "COUNTED", 3)
    probes(5)
    run = work_off(poke_all())
    first, whole = shown.by_field(run), shown.by_field(run, whole=True)
    assert ({each.number for each in first.fields}, first.only_first) == ({3}, "3")
    assert ({each.number for each in whole.fields}, whole.only_first) == ({5}, "")
    assert "Of the first 3 records." in client.get(url(run)).content.decode()


def test_who_may_not_look_at_the_records_sees_no_values(client, run):
    client.force_login(user("runs.view_run"))
    response = client.get(url(run))
    assert response.status_code == 200
    assert "PROBE 0" not in response.content.decode()
    client.force_login(user("probe.change_probe", username="other"))
    assert client.get(url(run)).status_code == 404


def test_a_field_that_the_team_keeps_off_its_pages_is_on_none(client, boss, run, monkeypatch):
    monkeypatch.setattr(admin.site._registry[Probe], "exclude", ("result",))
    response = client.get(url(run))
    assert [each.field for each in response.context["fields"].fields] == ["effects", "processed"]
    assert "PROBE 0" not in response.content.decode()
    assert client.get(url(run), {"field": "result"}).context["lines"] == []  # nor in which records it changed


def test_a_deleted_record_and_a_field_that_is_gone_are_still_told(client, boss, run):
    Probe.objects.all().delete()
    ChangeSet.objects.update(fields=" gone ", before='["x"]', after='[{"decimal":"1.50"}]')
    told = words(client.get(url(run)).content.decode())
    assert "gone before: x → after: 1.50" in told


def test_the_timeline_tells_what_a_run_and_a_plain_call_changed(boss, run):
    probe = Probe.objects.get(text="probe 0")
    Probe.objects.filter(pk=probe.pk).update(text="later")
    poke.apply(args=[probe.pk]).get()
    entries = timeline.of_record(Probe, probe.pk, boss).entries
    told = [
        (entry.title, entry.who, {each.label: (each.before, each.after) for each in entry.changes}) for entry in entries
    ]
    assert told[0] == ("Poke", "a plain call", {"Result": ("PROBE 0", "LATER"), "Effects": ("1", "2")})
    assert told[1][2] == {"Result": ("", "PROBE 0"), "Effects": ("0", "1"), "Processed": ("no", "yes")}


def test_plain_calls_stand_on_one_page_of_the_timeline_each(boss, monkeypatch):
    (probe,) = probes(1)
    for _ in range(5):
        poke(probe.pk)
    monkeypatch.setattr(timeline, "PAGE", 2)
    seen, before = [], ""
    for _ in range(3):
        found = timeline.of_record(Probe, probe.pk, boss, before=before)
        seen += [entry.number for entry in found.entries]
        before = found.older
    assert seen == list(ChangeSet.objects.order_by("-pk").values_list("pk", flat=True))
