"""Chords, groups, chains and revokes on a real worker, beside a run: in the end Redis, rows and ledger say the same."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from celery import chain, chord, current_app, group, states
from celery.result import AsyncResult
from django_celery_results.models import TaskResult

from tests.faults.counts import assert_all_succeeded, wait_finished
from tests.results import storm
from tests.results.storm_tasks import echo, fail, hold, total
from tests.runs.factories import poke_all, probes
from tests.servers import wait_until
from tests.workers import running_worker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
OK, BAD, GONE = states.SUCCESS, states.FAILURE, states.REVOKED
EITHER = ""
Wanted = dict[str, str]


def ids(*results: Any) -> list[str]:
    return [result.id for result in results]


def is_in(task_id: str, *wanted: str) -> bool:
    return TaskResult.objects.filter(task_id=task_id, status__in=wanted).exists()


def begun(signature: Any) -> str:
    sent = signature.apply_async()
    wait_until(lambda: is_in(sent.id, states.STARTED), what="begun")
    return sent.id


def ended(signature: Any) -> str:
    sent = signature.apply_async()
    wait_until(lambda: is_in(sent.id, OK, BAD), what="ended")
    return sent.id


def reserved(signature: Any) -> str:
    sent = signature.apply_async(countdown=4)
    wait_until(lambda: sent.id in str(current_app.control.inspect(timeout=1).scheduled()), what="reserved")
    return sent.id


def revoke(task_id: str, **options: Any) -> None:
    assert current_app.control.revoke(task_id, reply=True, timeout=5, limit=1, **options)


def revoke_stamped(**headers: Any) -> None:
    terminate = headers.pop("terminate", False)
    assert current_app.control.revoke_by_stamped_headers(headers, reply=True, timeout=5, limit=1, terminate=terminate)


def a_chord() -> Wanted:
    body = chord([echo.s(n) for n in range(10)])(total.s())
    assert body.get(timeout=30) == 45
    return dict.fromkeys(ids(body, *body.parent.results), OK)


def a_chord_with_a_failing_header() -> Wanted:
    body = chord([echo.s(1), fail.s("no"), echo.s(2)])(total.s())
    good, bad, other = body.parent.results
    return {body.id: BAD, good.id: OK, bad.id: BAD, other.id: OK}


def a_chord_with_a_revoked_header() -> Wanted:
    never, body = echo.s(2).set(task_id=str(uuid.uuid4())), total.s()
    revoke(never.options["task_id"])
    done = chord([echo.s(1), never])(body)
    return {done.id: BAD, done.parent.results[0].id: OK, never.options["task_id"]: GONE}


def a_failing_body() -> Wanted:
    body = chord([echo.s(1), echo.s(2)])(fail.s())
    return {body.id: BAD, **dict.fromkeys(ids(*body.parent.results), OK)}


def a_group() -> Wanted:
    sent = group(echo.s(1), fail.s("no"), echo.s(3))()
    return dict(zip(ids(*sent.results), (OK, BAD, OK), strict=True))


def a_chain() -> Wanted:
    sent = chain(echo.s(7), echo.s(), echo.s())()
    assert sent.get(timeout=30) == 7
    return dict.fromkeys(ids(sent, sent.parent, sent.parent.parent), OK)


def a_chain_that_breaks() -> Wanted:
    sent = chain(echo.s(7), fail.s(), echo.s())()
    return {sent.id: BAD, sent.parent.id: BAD, sent.parent.parent.id: OK}


def a_chain_through_a_group() -> Wanted:
    sent = chain(echo.s(1), group(echo.s(), echo.s()), total.s(), echo.s())()
    assert sent.get(timeout=30) == 2
    return {sent.id: OK, sent.parent.id: OK}


def revoked_before_it_is_sent() -> Wanted:
    task_id = str(uuid.uuid4())
    revoke(task_id)
    echo.apply_async([1], task_id=task_id)
    return {task_id: GONE}


def revoked_while_it_waits_in_the_worker() -> Wanted:
    revoke(task_id := reserved(echo.s(1)))
    return {task_id: GONE}


def revoked_while_it_runs() -> Wanted:
    revoke(task_id := begun(hold.s(1)))
    return {task_id: OK}


def terminated_while_it_runs() -> Wanted:
    """Celery's signal now and then misses the child: then it has ended well, in both stores."""
    revoke(task_id := begun(hold.s(3)), terminate=True)
    return {task_id: EITHER}


def killed_while_it_runs() -> Wanted:
    revoke(task_id := begun(hold.s(3)), terminate=True, signal="SIGKILL")
    return {task_id: EITHER}


def revoked_when_it_is_over() -> Wanted:
    well, badly = ended(echo.s(1)), ended(fail.s("no"))
    for task_id in (well, badly):
        revoke(task_id, terminate=True)
        revoke(task_id)
    return {well: OK, badly: BAD}


def terminated_as_it_ends() -> Wanted:
    """Whatever of the two is first; which, nobody knows."""
    sent = [hold.delay(0.3).id for _ in range(4)]
    for task_id in sent:
        wait_until(lambda task_id=task_id: is_in(task_id, states.STARTED, OK), what="begun")
        revoke(task_id, terminate=True)
    return dict.fromkeys(sent, EITHER)


def revoked_by_a_stamp_before_it_is_sent() -> Wanted:
    revoke_stamped(customer=["7"])
    signature = echo.s(1)
    signature.stamp(customer="7")
    return {signature.apply_async().id: GONE}


def terminated_by_a_stamp() -> Wanted:
    signature = hold.s(3)
    signature.stamp(customer="8")
    task_id = begun(signature)
    revoke_stamped(customer=["8"], terminate=True)
    return {task_id: EITHER}


def too_late() -> Wanted:
    return {echo.apply_async([1], expires=0).id: GONE}


CASES: list[Callable[[], Wanted]] = [
    a_chord, a_chord_with_a_failing_header, a_chord_with_a_revoked_header, a_failing_body, a_group, a_chain,
    a_chain_that_breaks, a_chain_through_a_group, revoked_before_it_is_sent, revoked_while_it_waits_in_the_worker,
    revoked_while_it_runs, terminated_while_it_runs, killed_while_it_runs, revoked_when_it_is_over,
    terminated_as_it_ends, revoked_by_a_stamp_before_it_is_sent, terminated_by_a_stamp, too_late,
]  # fmt: skip


def test_however_calls_hang_together_and_are_revoked_both_stores_and_the_ledger_agree():
    probes(300, behaviour="slow")
    with running_worker("-I", "tests.results.storm_tasks", "-c", "4", PROBE_SECONDS="0.02"):
        run, wanted = poke_all(), {}
        for case in CASES:
            wanted |= {task_id: (state, case.__name__) for task_id, state in case().items()}
        for task_id, (_state, name) in wanted.items():
            wait_until(lambda task_id=task_id: is_in(task_id, *states.READY_STATES), 30, what=f"the end of {name}")
        assert_all_succeeded(wait_finished(run), 300)
        told = {name: AsyncResult(task_id).state for task_id, (state, name) in wanted.items() if state
                if AsyncResult(task_id).state != state}  # fmt: skip
        assert told == {}
        with suppress(TimeoutError):  # what a signal missed is on its way still
            wait_until(lambda: not differences(wanted), 15)
        assert differences(wanted) == []


def differences(wanted: dict[str, tuple[str, str]]) -> list[str]:
    return list(storm.compare({task_id: state for task_id, (state, _name) in wanted.items()}))
