"""One of two processes: half of the items, a hundred at a time.  python -m bench.peers.bare.loop 0"""

import os
import sys
import time
from typing import Any

import django
import redis

CHUNK = 100
PROCESSING = "processing"  # in Redis: seconds of processor time in process() alone


def main() -> None:
    django.setup()
    part = int(sys.argv[1])
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    while True:
        _key, run_id = client.blpop([f"go:{part}"])
        client.incrbyfloat(PROCESSING, work(int(run_id), part))


def work(run_id: int, part: int) -> float:
    """Returns the seconds of processor time that process() took."""
    from backoffice.runs.models import Run, RunItem

    run = Run.objects.get(pk=run_id)
    ids = list(RunItem.objects.of(run).order_by("record_id").values_list("record_id", flat=True))
    half = (len(ids) + 1) // 2
    mine = ids[:half] if part == 0 else ids[half:]
    return sum(chunk(run, mine[at : at + CHUNK]) for at in range(0, len(mine), CHUNK))


def chunk(run: Any, ids: list[int]) -> float:
    from django.db import transaction
    from django.utils import timezone

    from backoffice.results import bulk, rows
    from backoffice.runs.models import RunItem
    from records.models import YourModel

    records = YourModel.objects.in_bulk(ids)
    begun = time.process_time()
    outcomes = {pk: str(record.process()) for pk, record in records.items()}
    processing = time.process_time() - begun
    now = timezone.now()
    with transaction.atomic():
        bulk.update(
            RunItem,
            ("state", "active", "finished_at", "outcome"),
            ("run", "record_id"),
            [("SUCCESS", False, now, outcome, run.pk, pk) for pk, outcome in outcomes.items()],
        )
        bulk.update(
            YourModel,
            YourModel.RESULTS,
            ("id",),
            [(*(getattr(record, name) for name in YourModel.RESULTS), pk) for pk, record in records.items()],
        )
        common = rows.Common(
            name="records.tasks.process_model_instance", worker="bare", periodic_task_name=None, now=now
        )
        rows.write(
            [
                common.row(
                    run.item_task_id(pk), "SUCCESS", args=f"[{pk}]", kwargs="{}",
                    result=rows.dumps(f"Processed instance {pk}"), traceback=None, started=now,
                    meta=rows.dumps({"children": [], "run": run.pk, "outcome": outcome}),
                )
                for pk, outcome in outcomes.items()
            ]
        )  # fmt: skip
    return processing


if __name__ == "__main__":
    main()
