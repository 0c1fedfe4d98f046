"""A run is told by what it did to what, and by what its records came to; each part leads to its records."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from backoffice.runs import labels
from backoffice.runs.counting.again import recount
from backoffice.runs.models import Chunk, Run, RunItem, Tally
from backoffice.runs.operations import cancel, retry
from backoffice.runs.pages import items, progress
from backoffice.runs.pages.listing import runs as listed
from backoffice.runs.pages.run import bar, waiting
from backoffice.runs.seam import start
from backoffice.runs.start import RunRequest, start_requested
from backoffice.testing import work_off
from records.models import YourModel
from tests.factories import record, user
from tests.runs.clicks import page
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db
LIST = reverse("admin:runs_run_changelist")


def check(**request) -> Run:
    """A run of the shipped check over a correctable, an invalid and some other records."""
    record(country="Deutschland"), record(phone="030 1"), record(), record()
    return work_off(start_requested(YourModel.objects.all(), "process_model_instance", RunRequest(**request)))


def parts(run: Run) -> list[bar.Part]:
    return bar.parts(run, run.tallies.all())


@pytest.mark.parametrize(
    ("selection", "name"),
    [
        ("verdict: review; country: NL", "Poke: 2 records, review, NL"),
        ("2 records, selected by hand", "Poke: 2 records"),
        ("All probes", "Poke: 2 records, all"),
        ("", "Poke: 2 records"),
    ],
)
def test_a_name_says_what_was_done_to_what(selection, name):
    probes(2)
    run = poke_all(selection=selection)
    assert labels.run_name(run) == name
    assert labels.run_name(Run(total=1, task=run.task)) == "Poke: 1 record"
    run.total, run.selection = 1, "Probe 20 of many"
    assert labels.run_name(run) == "Poke: 20 of many"


def test_a_retry_is_named_after_what_failed():
    probes(1, behaviour="fail")
    run = work_off(poke_all())
    assert labels.run_name(retry(run, "anna")) == f"Poke: 1 record, failed in run {run.pk}"


def test_each_part_of_the_bar_leads_to_its_records(admin_client):
    run = check()
    html = admin_client.get(page(run)).text
    told = {part.badge.word: part.number for part in parts(run)}
    assert sum(told.values()) == 4
    assert told["correctable"] == 1
    assert "4 of 4 records done: " + bar.in_words(parts(run)) in html
    for part in parts(run):
        assert html.count(f'href="{page(run)}?{part.query}#items"') == 3
        found = admin_client.get(f"{page(run)}?{part.query}").context_data["page"]
        assert len(found.lines) == part.number
        assert {line.outcome.word for line in found.lines} == {part.badge.word}


def test_a_word_of_the_version_before_and_the_code_of_now_are_one_part():
    run = check()
    one = run.items.filter(outcome__startswith="valid").first()
    RunItem.objects.filter(run=run, record_id=one.record_id).update(outcome="correctable: country.format")
    with transaction.atomic():
        recount(run)
    part = next(part for part in parts(run) if part.badge.word == "correctable")
    assert (part.number, sorted(part.labels), part.badge.colour) == (2, ["correctable", "corrected"], "hint")
    assert len(items.page(run, items.Chosen(outcome=part.value), run.tallies.all()).lines) == 2


def test_codes_of_issues_are_words(admin_client):
    run = check()
    html = admin_client.get(page(run)).text
    assert "country.format" not in html
    assert "Country: not the ISO code" in html


def test_outcomes_too_many_to_be_told_apart_are_one_part(monkeypatch):
    monkeypatch.setattr(Tally, "LIMIT", 1)
    run = check()
    with transaction.atomic():
        recount(run)
    named, others = parts(run)
    found = items.page(run, items.Chosen(outcome=others.value), run.tallies.all())
    assert (others.badge.word, others.number) == ("other outcomes", len(found.lines))
    assert named.number + others.number == 4


def test_pages_lead_both_ways_and_nothing_is_left_out(admin_client, monkeypatch):
    monkeypatch.setattr(items, "PAGE", 3)
    probes(8)
    run = work_off(poke_all())
    tallies = list(run.tallies.all())

    def ids(found: items.ItemPage) -> list[int]:
        return [line.item.record_id for line in found.lines]

    forward = [items.page(run, items.Chosen(), tallies)]
    while forward[-1].next_after is not None:
        forward.append(items.page(run, items.Chosen(after=forward[-1].next_after), tallies))
    back = [forward[-1]]
    while back[-1].previous_before is not None:
        back.append(items.page(run, items.Chosen(before=back[-1].previous_before), tallies))
    every = list(run.items.order_by("record_id").values_list("record_id", flat=True))
    assert sum(map(ids, forward), []) == every
    assert sorted({pk for found in back for pk in ids(found)}) == every
    assert [len(found.lines) for found in forward] == [3, 3, 2]
    assert back[-1].next_after is not None
    html = admin_client.get(page(run), {"after": forward[0].next_after}).text
    assert ('rel="prev"' in html, 'rel="next"' in html) == (True, True)


def test_a_cancelled_run_says_what_was_done_and_not_all(admin_client):
    probes(3)
    run = poke_all()
    cancel(run, "anna")
    told = progress.as_json(tallied(run))
    assert (told["percent"], told["text"]) == (0, "0 of 3 records done: 3 cancelled")
    assert "100 %" not in admin_client.get(page(run)).text


def tallied(run: Run):
    found = progress.with_counts(Run.objects).get(pk=run.pk)
    found.tallied = list(found.tallies.all())
    return found


HOUR = timedelta(hours=1)


def test_a_run_that_waits_says_why_and_what_to_do():
    probes(1)
    run, now = poke_all(), timezone.now()
    for of_run, of_chunks, said in (
        ({"activated_at": now}, {}, ""),
        ({"activated_at": now - HOUR}, {}, "No worker reads the queue “records”"),
        ({"activated_at": now - HOUR}, {"published_at": None}, "Redis does not take its messages"),
        ({"activated_at": None, "due_at": now + HOUR}, {}, ""),
        ({"activated_at": None, "due_at": now - HOUR}, {}, "no worker reads the queue “control”"),
        ({"finished_at": now}, {}, ""),
    ):
        Run.objects.filter(pk=run.pk).update(**of_run)
        Chunk.objects.update(**of_chunks)
        why = waiting.why(tallied(run))
        assert (said in why, bool(why)) == (True, bool(said)), why


def test_a_deleted_record_has_the_name_that_its_deletion_was_logged_with(admin_client):
    logged, unknown = record(name="Gone & Co"), record()
    run = work_off(start([logged.pk, unknown.pk], "process_model_instance"))
    name, number = str(logged), unknown.pk
    admin_client.post(reverse("admin:records_yourmodel_delete", args=[logged.pk]), {"post": "yes"})
    YourModel.objects.filter(pk=number)._raw_delete("default")
    shown = [line.label for line in items.page(run, items.Chosen(), user=user(is_superuser=True)).lines]
    assert shown == [f"{name} (deleted)", f"record {number} (deleted)"]


def test_a_list_is_searched_by_all_it_shows():
    run = check(requester="anna", selection="country: NL")
    probes(1)
    work_off(poke_all(requester="clara"))

    def found(*words: str) -> bool:
        return Run.objects.filter(*map(listed.searched, words), pk=run.pk).exists()

    for word in ("correctable", "corrected", "NL", "process", "anna", str(run.pk)):
        assert found(word), word
    assert found("anna", "correctable")
    for word in ("poke", "berta", '"'):
        assert not found(word), word


def test_errors_are_searched_too_and_the_list_tells_outcomes(admin_client):
    probes(2)
    probes(1, behaviour="fail")
    run = work_off(poke_all())
    answer = admin_client.get(LIST, {"q": '"cannot work on"'})
    assert [each.pk for each in answer.context_data["cl"].result_list] == [run.pk]
    assert re.search(r">2 done, 1 failed<", answer.text)
    assert list(listed.words_of("a 'b c'")) == ["a", "b c"]


def test_who_sees_no_runs_but_their_own_has_one_list_of_them(client):
    for permissions, names in (((), ["My runs"]), (("runs.view_run",), ["Runs", "My runs"])):
        client.force_login(user(*permissions))
        answer = client.get(LIST)
        menu = [item["title"] for group in answer.context["sidebar_navigation"] for item in group["items"]]
        assert [str(title) for title in menu if "uns" in str(title)] == names
        assert ("mine" in str(answer.context_data["cl"].filter_specs)) in (True, False)
