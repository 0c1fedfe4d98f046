"""What `start` and `preview` may be given: querysets, ids of any kind, and what is refused by name."""

from datetime import datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import Max

from backoffice.runs.models import Run
from backoffice.runs.preview.counts import preview
from backoffice.runs.start import EmptySelection, start
from backoffice.testing import work_off
from records.models import YourModel
from tests.factories import record, user
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db(transaction=True)


class Whole:
    """As numpy's integers are: no int, and a whole number all the same."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


@pytest.mark.parametrize(
    "ids",
    [
        list,
        tuple,
        set,
        iter,
        lambda ids: (each for each in ids),
        lambda ids: dict.fromkeys(ids),
        lambda ids: [*ids, *ids],
        lambda ids: map(Whole, ids),
        lambda ids: range(min(ids), max(ids) + 1),
        lambda ids: Probe.objects.filter(pk__in=ids).values_list("pk", flat=True),
    ],
)
def test_ids_of_any_iterable_start_a_run_over_the_records_of_the_task(ids):
    wanted = [probe.pk for probe in probes(3)]
    probes(2)
    assert preview(ids(wanted), "poke").eligible == 3
    run = start(ids(wanted), "poke", by="Anna")
    assert sorted(run.items.values_list("record_id", flat=True)) == sorted(wanted)
    assert (run.total, run.skipped, run.requester_name) == (3, 0, "Anna")
    assert work_off(run).succeeded == 3


def test_an_id_without_a_record_is_skipped_and_counted_as_the_preview_says():
    ids = [*(probe.pk for probe in probes(2)), 10**9, -1, 10**30]
    foreseen = preview(ids, "poke")
    run = start(ids, "poke")
    reason = "not found at the start: deleted, or no longer matching the list’s filter"
    assert (run.skip_reasons, foreseen.skipped) == ({"gone": 3}, {reason: 3})
    assert (run.total, run.total + run.skipped) == (foreseen.eligible, foreseen.matched) == (2, 5)


@pytest.mark.parametrize("nothing", [[], range(0), [10**9]], ids=repr)
def test_no_record_left_of_the_ids_is_said(nothing):
    assert preview(nothing, "poke").eligible == 0
    with pytest.raises(EmptySelection):
        start(nothing, "poke")
    assert not Run.objects.exists()


def test_more_ids_than_a_statement_takes_parameters():
    most = probes(3)[-1].pk
    run = start(range(1, most + 300_000), "poke")
    assert (run.total, run.skipped) == (Probe.objects.count(), most + 299_999 - Probe.objects.count())


REFUSED = {
    "a text": (lambda: "123", TypeError, "poke takes a queryset of probe.Probe, or ids of such records, not '123'"),
    "a number": (lambda: 7, TypeError, "not 7"),
    "nothing": (lambda: None, TypeError, "not None"),
    "a record": (lambda: probes(1)[0], TypeError, "not <Probe"),
    "the model": (lambda: Probe, TypeError, "not <class"),
    "a manager": (lambda: Probe.objects, TypeError, r"Write \.all\(\) behind it"),
    "records": (lambda: [*probes(2)], TypeError, r"among the ids is the Probe \d+: give its pk"),
    "texts": (lambda: ["1", "2"], TypeError, "among the ids is '1', which is no whole number"),
    "fractions": (lambda: [1.5], TypeError, r"among the ids is 1\.5, which"),
    "switches": (lambda: [True], TypeError, "among the ids is True, which"),
    "another model": (Invoice.objects.all, ValueError, r"works on probe\.Probe, not on second\.Invoice"),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("door", [start, preview])
def test_what_is_neither_is_refused_by_name(door, what):
    given, error, words = REFUSED[what]
    with pytest.raises(error, match=words):
        door(given(), "poke")
    assert not Run.objects.exists()


def test_a_time_without_a_zone_is_refused():
    probes(1)
    with pytest.raises(ValueError, match="names no time zone: give an aware time"):
        start(Probe.objects.all(), "poke", due_at=datetime(2100, 1, 1, 12))  # noqa: DTZ001 - that is what is refused


def test_a_task_that_is_not_there_is_named_with_the_choices():
    for door in (start, preview):
        with pytest.raises(LookupError, match="There is no record task 'pok'.*tests.probe.tasks.poke"):
            door([1], "pok")


def test_the_task_says_of_ids_too_which_records_it_makes_sense_for():
    ids = [record().pk, record().pk]
    by_ids = preview(ids, "apply_corrections")
    assert by_ids == preview(YourModel.objects.filter(pk__in=ids).annotate(n=Max("pk")), "apply_corrections")
    assert (by_ids.matched, by_ids.eligible, sum(by_ids.skipped.values())) == (2, 0, 2)


def test_a_person_without_the_tasks_permission_is_refused_by_preview_as_by_start():
    ids = [Invoice.objects.create(number="I1", net=1).pk]
    for door in (start, preview):
        with pytest.raises(PermissionDenied, match="second.change_invoice"):
            door(ids, "tax_invoice", by=user())
    clerk = user("second.change_invoice")
    assert preview(ids, "tax_invoice", by=clerk).eligible == start(ids, "tax_invoice", by=clerk).total == 1
