"""The storm, sent and compared by processes of their own, on whatever Redis and database their environment names.

python -m tests.results.storm send FILE       a wave of mixed tasks; appends the state each must end in
python -m tests.results.storm compare FILE    prints each difference between ledger, rows and Redis; nothing when none
python -m tests.results.storm state FILE      as JSON, how many have begun, and what is not over
"""

import json
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
from celery import current_app, states

UNICODE = "Zoë 株式会社 🜁 \u202e"
SCRIPT = "<script>alert(1)</script>"
MEGABYTES = 5 * 1024 * 1024
WORKERS = 2


def sent() -> dict[str, str]:
    """The state that each task sent must end in, by task id."""
    from tests.results import storm_tasks

    revoked, unknown = revoke(), "tests.results.storm_tasks.nobody_knows"
    storm_tasks.echo.apply_async(["never"], task_id=revoked)
    wanted = {revoked: states.REVOKED, current_app.send_task(unknown, [SCRIPT]).id: states.FAILURE}
    for task, args, state in (
        (storm_tasks.echo, [UNICODE], states.SUCCESS),
        (storm_tasks.echo, [{"a": [1, None, SCRIPT]}], states.SUCCESS),
        (storm_tasks.fail, [SCRIPT + UNICODE], states.FAILURE),
        (storm_tasks.flaky, [], states.SUCCESS),
        (storm_tasks.endless, [], states.FAILURE),
        (storm_tasks.die, [], states.FAILURE),
        (storm_tasks.large, [MEGABYTES], states.SUCCESS),
        (storm_tasks.step_by_step, [], states.SUCCESS),
        *((storm_tasks.echo, [number], states.SUCCESS) for number in range(20)),
        *((storm_tasks.fail, [str(number)], states.FAILURE) for number in range(20)),
    ):
        wanted[task.delay(*args).id] = state
    return wanted


def revoke() -> str:
    """An id that both workers have been told to revoke: a broadcast reaches who listens at that moment."""
    task_id = str(uuid.uuid4())
    while len(current_app.control.revoke(task_id, reply=True, timeout=2) or ()) < WORKERS:
        time.sleep(0.5)
    return task_id


def compare(wanted: dict[str, str]) -> Iterator[str]:
    """What differs. A key that Redis lost is no difference: the row answers for it."""
    from django_celery_results.models import TaskResult

    rows = {row.task_id: row for row in TaskResult.objects.all()}
    keys = dict(in_redis())
    for task_id in sorted(rows | keys | wanted):
        row, key, state = rows.get(task_id), keys.get(task_id), wanted.get(task_id)
        if row is None:
            yield f"{task_id}: no row, Redis has {key and key['status']}, wanted {state}"
            continue
        name = f"{task_id} {row.task_name} {(row.task_args or '')[:60]}"
        if state and row.status != state:
            yield f"{name}: the row says {row.status}, wanted {state}"
        if current_app.AsyncResult(task_id).state != row.status:
            yield f"{name}: AsyncResult says {current_app.AsyncResult(task_id).state}, the row {row.status}"
        yield from (f"{name}: {said}" for said in differing(row, key or {}))
    yield from ledger(rows)


def differing(row: Any, key: dict[str, Any]) -> Iterator[str]:
    kept = {"status": row.status, "traceback": row.traceback}
    kept |= {name: json.loads(getattr(row, column) or "null")
             for name, column in (("result", "result"), ("args", "task_args"), ("kwargs", "task_kwargs"))}  # fmt: skip
    for name, value in kept.items():
        if name in key and key[name] not in (value, None):
            yield f"{name} is {str(key[name])[:80]!r} in Redis and {str(value)[:80]!r} in the row"


def in_redis() -> Iterator[tuple[str, dict[str, Any]]]:
    for key in current_app.backend.client.scan_iter("celery-task-meta-*", count=1000):
        meta = json.loads(current_app.backend.client.get(key))
        yield meta["task_id"], meta


def ledger(rows: dict[str, Any]) -> Iterator[str]:
    from backoffice.runs.models import Run

    for run in Run.objects.all():
        for record_id, state in run.items.values_list("record_id", "state"):
            row = rows.get(run.item_task_id(record_id))
            if row is None or row.status != state:
                yield f"record {record_id} of run {run.pk} is {state}, its row says {row and row.status}"


def state(wanted: dict[str, str]) -> dict[str, Any]:
    from django_celery_results.models import TaskResult

    from backoffice.results.models import UntoldResult
    from backoffice.results.spool import KEY
    from backoffice.runs.models import Run

    known = dict(TaskResult.objects.filter(task_id__in=wanted).values_list("task_id", "status"))
    over = {task_id for task_id, status in known.items() if status in states.READY_STATES}
    left = [f"task {task_id} is {known.get(task_id)}" for task_id in wanted if task_id not in over]
    left += [f"run {run.pk}: {run.done} of {run.total}" for run in Run.objects.open().select_related("task")]
    left += [f"{number} wait in {store}" for store, number in (
        ("Redis", current_app.backend.client.zcard(KEY)), ("the database", UntoldResult.objects.count())
    ) if number]  # fmt: skip
    return {"begun": len(known), "left": left}


def main() -> None:
    django.setup()
    command, file = sys.argv[1], Path(sys.argv[2])
    wanted = json.loads(file.read_text()) if file.exists() else {}
    if command == "send":
        file.write_text(json.dumps(wanted | sent()))
    elif command == "compare":
        print(*compare(wanted), sep="\n", end="")
    else:
        print(json.dumps(state(wanted)))


if __name__ == "__main__":
    main()
