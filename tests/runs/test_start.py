import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from backoffice.results.models import Activity
from backoffice.runs.models import Chunk, Run, RunItem, State
from backoffice.runs.preview.counts import preview
from backoffice.runs.start import EmptySelection, activate, start
from backoffice.testing import work_off
from records.tasks import add
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_holds_exactly_the_records_of_the_selection():
    wanted = probes(3, behaviour="slow")
    probes(4)
    run = start(Probe.objects.filter(behaviour="slow"), "poke")
    assert set(run.items.values_list("record_id", flat=True)) == {probe.pk for probe in wanted}
    assert (run.total, run.skipped) == (3, 0)


@pytest.mark.parametrize(
    "selection",
    [
        lambda: Probe.objects.filter(text__contains="probe").distinct(),
        lambda: Probe.objects.filter(Q(text="probe 1") | Q(text="probe 2")).order_by("-text"),
        lambda: Probe.objects.annotate(n=Count("text")).filter(n__gt=0),
        lambda: Probe.objects.all()[:2],
        lambda: Probe.objects.filter(text__in=["probe 0"]) | Probe.objects.filter(text="probe 2"),
    ],
    ids=["distinct", "or", "annotated", "sliced", "combined"],
)
def test_any_changelist_queryset_can_be_a_selection(selection):
    probes(3)
    expected = {probe.pk for probe in selection()}
    assert set(start(selection(), "poke").items.values_list("record_id", flat=True)) == expected


def test_nothing_selected_is_said_and_leaves_no_trace():
    for nothing in (Probe.objects.none(), Probe.objects.filter(text="absent")):
        with pytest.raises(EmptySelection, match="nothing to do"):
            start(nothing, "poke")
    assert not Run.objects.exists()
    assert not Activity.objects.exists()


def test_records_in_an_active_run_are_skipped_and_counted():
    probes(3)
    start(Probe.objects.filter(text="probe 1"), "poke")
    assert preview(Probe.objects.all(), "poke").skipped == {"already in an active run": 1}
    second = poke_all()
    assert (second.total, second.skipped, second.skip_reasons) == (2, 1, {"busy": 1})
    with pytest.raises(EmptySelection, match="3 already in an active run"):
        poke_all()


def test_of_two_clicks_at_the_same_moment_each_record_is_in_one_run():
    probes(6)
    work_off(poke_all())  # what a first run makes is there

    def click() -> Run:
        try:
            return poke_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = start(Probe.objects.filter(text__lt="probe 4"), "poke")
            second = pool.submit(click)
            time.sleep(0.5)  # it has read what is there, and now waits for what is not committed
        assert (first.total, first.skipped) == (4, 0)
        assert (second.result(30).total, second.result().skip_reasons) == (2, {"busy": 4})


def test_a_finished_run_lets_its_records_go():
    probes(2)
    work_off(poke_all())
    assert poke_all().total == 2


def test_a_run_for_later_keeps_its_snapshot_and_is_not_active():
    early = probes(2)
    later = poke_all(due_at=timezone.now() + timedelta(hours=1))
    probes(1)
    assert later.total == 2
    assert not Chunk.objects.exists()
    assert poke_all().total == 3  # the waiting run holds nobody up
    assert set(later.items.values_list("record_id", flat=True)) == {probe.pk for probe in early}


def test_at_its_time_a_run_skips_records_that_are_busy_elsewhere_and_starts_once():
    probes(3)
    later = poke_all(due_at=timezone.now() + timedelta(hours=1))
    start(Probe.objects.filter(text="probe 0"), "poke")
    assert [activate(later.pk), activate(later.pk)] == [True, False]
    later.refresh_from_db()
    assert (later.total, later.skipped) == (2, 1)
    assert work_off(later).state == State.SUCCESS


def test_a_time_in_the_past_is_refused_with_the_time():
    probes(1)
    with pytest.raises(ValueError, match="has passed: choose a time in the future"):
        poke_all(due_at=timezone.now() - timedelta(minutes=1))


def test_a_form_token_makes_one_run():
    probes(2)
    first, second = poke_all(form_token="t"), poke_all(form_token="t")
    assert first.pk == second.pk
    assert Run.objects.count() == 1


@pytest.mark.parametrize("given", [add, lambda record: None, Invoice, None])
@pytest.mark.parametrize("door", [start, preview])
def test_what_is_no_record_task_is_refused_with_what_to_give(door, given):
    with pytest.raises(TypeError, match="is no record task: give what @record_task made, or its name"):
        door(Probe.objects.all(), given)


def test_records_of_another_model_are_refused():
    with pytest.raises(ValueError, match=r"works on probe\.Probe, not on second\.Invoice"):
        start(Invoice.objects.all(), "poke")


def test_the_click_costs_the_same_number_of_queries_for_any_number_of_records(django_assert_max_num_queries):
    probes(10)
    with django_assert_max_num_queries(26):
        poke_all()
    probes(500)
    with django_assert_max_num_queries(26):
        poke_all()


def test_only_a_window_of_chunks_is_cut_ahead():
    probes(2000)
    run = poke_all()
    assert Chunk.objects.filter(run=run).count() == 4
    assert RunItem.objects.of(run).count() == 2000
    assert work_off(run).succeeded == 2000
