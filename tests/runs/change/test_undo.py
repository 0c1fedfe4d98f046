"""Undo of a run: each record is set back whole, or left alone where anything of it has moved since."""

from importlib import import_module

import pytest
from django.apps import apps

from backoffice.results.models import Activity
from backoffice.runs.failing import standing
from backoffice.runs.models import ChangeSet, LeftAlone, Run, RunItem, State
from backoffice.runs.operations import cancel, retry, undo
from backoffice.runs.registry import find
from backoffice.runs.start import EmptySelection, RunRequest, start
from backoffice.testing import work_off
from tests.factories import record, user
from tests.probe.models import Kinds, Probe
from tests.runs.factories import item, poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


def values_of(model=Probe):
    return list(model.objects.order_by("pk").values())


def undone(run, **options):
    return work_off(undo(run, "somebody", **options))


def test_every_record_is_as_before():
    probes(5)
    before = values_of()
    run = work_off(poke_all())
    assert values_of() != before
    again = undone(run)
    assert values_of() == before
    assert (again.state, again.succeeded, again.conflicts, again.purpose) == (State.SUCCESS, 5, 0, "undo")
    assert (again.undoes_id, list(run.undone_by.all())) == (run.pk, [again])
    assert {each.outcome.partition(":")[0] for each in again.outcomes()} == {"restored"}


def test_undo_of_undo_is_redo_and_so_on():
    probes(3)
    before = values_of()
    run = work_off(poke_all())
    after = values_of()
    for expected in (before, after, before, after):
        run = undone(run)
        assert values_of() == expected


def test_of_every_kind_of_field_what_was_there_is_there_again():
    for _ in range(4):
        Kinds.objects.create(number=user().pk)
    before = stored()
    run = work_off(start(Kinds.objects.all(), "fill_kinds"))
    after = stored()
    again = undone(run)
    assert (again.succeeded, again.failed, stored()) == (4, 0, before)
    undone(again)
    assert stored() == after


def stored():
    return [
        {name: bytes(value) if name == "raw" and value is not None else value for name, value in row.items()}
        for row in values_of(Kinds)
    ]


def test_one_field_that_moved_leaves_all_of_the_record_alone():
    moved, other = probes(2)
    run = work_off(poke_all())
    Probe.objects.filter(pk=moved.pk).update(result="by hand")
    expected = Probe.objects.filter(pk=moved.pk).values().get()
    again = undone(run)
    assert Probe.objects.filter(pk=moved.pk).values().get() == expected
    other.refresh_from_db()
    assert other.result == ""
    assert (again.state, again.succeeded, again.revoked, again.conflicts, again.failed) == (State.SUCCESS, 1, 1, 1, 0)
    left = item(again, moved)
    assert (left.state, left.word, left.error) == (State.REVOKED, "left alone", "Changed since: result.")
    (told,) = LeftAlone.objects.filter(run=again)
    assert {each.field: tuple(each[1:]) for each in told.moves}["result"] == ("", "PROBE 0", "by hand")


def test_what_is_as_before_already_is_no_conflict():
    probes(2)
    run = work_off(poke_all())
    undone(run)
    before = values_of()
    again = undone(run)
    assert (again.state, again.succeeded, again.conflicts) == (State.SUCCESS, 2, 0)
    assert {each.outcome for each in again.outcomes()} == {"as before: nothing to undo"}
    assert values_of() == before
    assert not ChangeSet.objects.filter(run=again).exists()


def test_deleted_records_are_left_alone():
    gone, _other = probes(2)
    run = work_off(poke_all())
    pk = gone.pk
    gone.delete()
    again = undone(run)
    assert (again.total, again.succeeded, again.conflicts) == (2, 1, 1)
    left = RunItem.objects.get(run=again, record_id=pk)
    assert (left.word, left.error) == ("left alone", "Deleted since.")
    assert [each.fields for each in LeftAlone.objects.filter(run=again)] == [""]


def test_what_the_database_refuses_is_left_alone_in_its_words():
    owner = user()
    first, second = (Kinds.objects.create(number=user().pk, owner=owner) for _ in range(2))
    run = work_off(start(Kinds.objects.all(), "fill_kinds"))
    ChangeSet.objects.filter(run=run, record_id=first.pk).update(
        fields=" owner ", before="[999999]", after=f"[{owner.pk}]"
    )
    again = undone(run)
    assert (again.succeeded, again.conflicts, again.failed) == (1, 1, 0)
    assert "foreign key" in item(again, first).error.lower()
    assert "refuses" in item(again, first).error
    second.refresh_from_db()
    assert second.key is None
    first.refresh_from_db()
    assert first.owner_id == owner.pk


def test_a_value_that_is_taken_meanwhile_is_left_alone():
    wanted, other = record(reference="A"), record(reference="C")
    made = RunRequest("x").run(find("apply_corrections"))
    made.state, made.finished_at = State.SUCCESS, wanted.created_at
    made.save()
    for each, before, after in ((wanted, "B", "A"), (other, "D", "C")):
        ChangeSet.objects.create(
            run=made, record_id=each.pk, fields=" reference ", before=f'["{before}"]', after=f'["{after}"]',
            at=wanted.created_at,
        )  # fmt: skip
    record(reference="B")
    again = undone(made)
    assert (again.succeeded, again.conflicts, again.failed) == (1, 1, 0)
    wanted.refresh_from_db(), other.refresh_from_db()
    assert (wanted.reference, other.reference) == ("A", "D")
    assert "unique" in item(again, wanted).error.lower()


def test_one_record_of_a_run_is_undone_alone():
    first, second = probes(2)
    run = work_off(poke_all())
    again = undone(run, records=[first.pk])
    first.refresh_from_db(), second.refresh_from_db()
    assert (again.total, first.result, second.result) == (1, "", "PROBE 1")
    with pytest.raises(EmptySelection, match=f"Run {run.pk} changed none of these records"):
        undo(run, "somebody", records=[0])


def test_a_cancelled_run_is_undone_once_it_has_ended(monkeypatch):
    probes(3)
    run = poke_all()
    with pytest.raises(EmptySelection, match="has not ended: cancel it, then undo it"):
        undo(run, "somebody")
    work_off(run)
    Probe.objects.update(result="", processed=False)
    other = poke_all()
    cancel(other, "somebody")
    with pytest.raises(EmptySelection, match=f"Run {other.pk} changed nothing"):
        undo(other, "somebody")


def test_a_retry_of_an_undo_is_an_undo_of_the_same(monkeypatch):
    probe, *_others = probes(2)
    run = work_off(poke_all())
    again = undo(run, "somebody")
    monkeypatch.setattr("backoffice.runs.change.restore.Restoring.settle", fail)
    assert work_off(again).failed == 2
    monkeypatch.undo()
    third = work_off(retry(again, "somebody"))
    assert (third.purpose, third.undoes_id, third.retry_of_id, third.succeeded) == ("undo", run.pk, again.pk, 2)
    probe.refresh_from_db()
    assert probe.result == ""


def fail(*_args):
    raise ValueError("a mistake of ours")


def test_it_is_in_the_log_of_both_runs():
    probes(1)
    run = work_off(poke_all())
    again = undo(run, "somebody", reason="a wrong button")
    log = {(each.verb, each.object_id): each.details for each in Activity.objects.all()}
    assert log["run.undone", str(run.pk)] == {"undo": again.pk, "total": 1}
    started = log["run.started", str(again.pk)]
    assert (started["undoes"], started["reason"]) == (run.pk, "a wrong button")


def test_two_at_once_do_not_meet():
    probes(2)
    run = work_off(poke_all())
    first = undo(run, "somebody")
    with pytest.raises(EmptySelection, match="already in an active run"):
        undo(run, "another")
    assert work_off(first).succeeded == 2


def test_changes_that_retention_dropped_by_then_are_left_alone():
    kept, dropped = probes(2)
    run = work_off(poke_all())
    again = undo(run, "somebody")
    ChangeSet.objects.filter(run=run, record_id=dropped.pk).delete()
    work_off(again)
    assert (again.succeeded, again.conflicts) == (1, 1)
    assert "retention" in item(again, dropped).error
    kept.refresh_from_db()
    assert kept.result == ""


def test_a_field_that_is_there_no_more_is_left_alone():
    (probe,) = probes(1)
    run = work_off(poke_all())
    ChangeSet.objects.update(fields=" result renamed effects ", before='["", 1, 0]', after='["PROBE 0", 1, 1]')
    again = undone(run)
    assert item(again, probe).error == "The record has no such field any more: renamed."


def test_who_edits_while_it_is_undone_wins(monkeypatch):
    (probe,) = probes(1)
    run = work_off(poke_all())
    from backoffice.runs.change.restore import Restoring

    original, edited = Restoring.settle, []

    def edit_beside(self, record, known):
        if not edited:
            edited.append(Probe.objects.filter(pk=record.pk).update(result="by hand"))
        original(self, record, known)

    monkeypatch.setattr(Restoring, "settle", edit_beside)
    again = undone(run)
    probe.refresh_from_db()
    assert (probe.result, again.conflicts) == ("by hand", 1)


def test_an_undo_mends_no_failure_of_the_task_and_the_task_none_of_an_undo(monkeypatch):
    (probe,) = probes(1)
    first = work_off(poke_all())
    Probe.objects.update(behaviour="fail")
    failed = work_off(poke_all())
    assert undone(first).succeeded == 1
    assert standing.of_run(failed).left == 1
    Probe.objects.update(behaviour="fine")
    second = work_off(poke_all())
    assert standing.of_run(failed).left == 0
    monkeypatch.setattr("backoffice.runs.change.restore.Restoring.settle", fail)
    again = undone(second)
    monkeypatch.undo()
    assert again.failed == 1
    work_off(poke_all())
    assert standing.of_run(again).left == 1
    assert work_off(retry(again, "somebody")).conflicts == 1
    assert standing.of_run(again).left == 1
    Probe.objects.filter(pk=probe.pk).update(effects=1)
    assert work_off(retry(again, "somebody")).succeeded == 1
    assert standing.of_run(again).left == 0


def test_undos_of_before_that_took_back_an_undo_are_called_redos():
    probes(1)
    chain = [work_off(poke_all())]
    for _each in range(4):
        chain.append(work_off(undo(chain[-1], "x")))
    named = [each.purpose for each in chain]
    assert named == ["real", "undo", "redo", "undo", "redo"]
    Run.objects.filter(purpose="redo").update(purpose="undo")
    import_module("backoffice.runs.migrations.0017_redo").name_them(apps, None)
    assert list(Run.objects.order_by("pk").values_list("purpose", flat=True)) == named
