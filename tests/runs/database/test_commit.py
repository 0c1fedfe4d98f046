"""A plain call inside a transaction, and what Celery gives every task for it."""

import pytest
from celery import chain, current_app, group
from django.db import connection, transaction

from backoffice.runs.database.commit import NotSent
from backoffice.runs.registry import registered
from records.tasks import add
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.schedules.queued import messages

CALLS = {
    "delay": lambda pk: poke.delay(pk),
    "by name": lambda pk: poke.delay(instance_id=pk),
    "apply_async": lambda pk: poke.apply_async([pk], task_id="apply_async", countdown=0),
    "in places": lambda pk: poke.apply_async((pk,), None, "in places", None, None, None, "shadow"),
    "signature": lambda pk: poke.s(pk).delay(),
    "group": lambda pk: group(poke.si(pk)).delay().results[0],
    "chain": lambda pk: chain(poke.si(pk), add.si(1, 1)).delay().parent,
}


class Undo(Exception):
    pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.processes
def test_a_call_inside_a_transaction_finds_what_that_has_written(worker):
    for way, call in CALLS.items():
        with transaction.atomic():
            probe = Probe.objects.create(text="new")
            result = call(probe.pk)
            assert result.state == "PENDING"
        assert result.get(timeout=30) == f"Processed instance {probe.pk}", way
        assert way not in ("apply_async", "in places") or result.id == way


@pytest.mark.django_db(transaction=True)
def test_its_result_is_not_waited_for_before_it_is_sent():
    with transaction.atomic():
        result = poke.delay(Probe.objects.create().pk)
        for ask in (result.get, result.wait):
            with pytest.raises(NotSent, match=r"Ask for the result after the commit, outside of atomic\(\)\.$"):
                ask(timeout=0)


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_sent():
    results = []

    def call_and_undo() -> None:
        with transaction.atomic():
            results.append(poke.delay(Probe.objects.create().pk))
            raise Undo

    with pytest.raises(Undo):
        call_and_undo()
    with transaction.atomic(), pytest.raises(Undo):  # a savepoint alone
        call_and_undo()
    assert messages() == []
    for result in results:
        with pytest.raises(NotSent):
            result.get()


@pytest.mark.django_db(transaction=True)
def test_wrong_arguments_are_refused_at_the_call():
    with pytest.raises(TypeError, match="poke"), transaction.atomic():
        poke.delay(1, 2, 3)


@pytest.mark.django_db(transaction=True)
def test_where_transactions_are_ended_by_hand_nothing_is_sent_before_their_time():
    connection.set_autocommit(False)
    try:
        with pytest.raises(transaction.TransactionManagementError):
            poke.delay(1)
    finally:
        connection.rollback()
        connection.set_autocommit(True)
    assert messages() == []


@pytest.mark.django_db
def test_the_transaction_that_a_test_case_puts_around_a_test_is_none(django_capture_on_commit_callbacks):
    poke.delay(1)
    assert len(messages()) == 1
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        poke.delay(1)
        assert len(messages()) == 1
    assert len(messages()) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", ["apply", "delay"])
@pytest.mark.parametrize("task", [poke, add], ids=["of a record", "plain"])
def test_an_eager_call_works_here_and_now_in_the_transaction(monkeypatch, call, task):
    monkeypatch.setitem(current_app.conf.changes, "task_always_eager", call == "delay")
    with transaction.atomic():
        probe = Probe.objects.create()
        args = (probe.pk,) if task is poke else (1, 2)
        result = task.apply(args) if call == "apply" else task.delay(*args)
        assert result.get() == (f"Processed instance {probe.pk}" if task is poke else 3)
    assert Probe.objects.filter(pk=probe.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_every_task_can_be_called_on_commit():
    ours = {name: task for name, task in registered().items() if not name.startswith("celery.")}
    assert {"records.tasks.add", "tests.probe.tasks.poke", "backoffice.celery.debug_task"} <= set(ours)
    assert not [name for name, task in ours.items() if not hasattr(task, "delay_on_commit")]
    for task in (poke, add):
        with transaction.atomic():
            assert task.delay_on_commit(1, *([2] if task is add else [])) is None
            assert task.apply_async_on_commit((1,) if task is poke else (1, 2)) is None
            before = len(messages())
        assert len(messages()) == before + 2
