"""What is measured: each function one measurement of one contender on one database, as a plain mapping."""

import os
import time
from typing import Any

from .contenders import BARE, OURS, WITH_RUNS
from .peers.bare.loop import PROCESSING
from .session import Contender, Session, first_of_many, session
from .stage import Stage

Figures = dict[str, Any]
SETTLE = 0.3  # seconds for the last result rows, after the last record


def throughput(
    stage: Stage, contender: Contender, vendor: str, records: int, singles: int = 0, *, look: bool = False
) -> Figures:
    """From the click to the last record done, workers idle and warm; then, to `look`, the pages."""
    with session(stage, contender, vendor, records) as at:
        latencies = [_single(at, 251 + number) for number in range(singles)]
        time.sleep(SETTLE)
        first, last = first_of_many(), first_of_many() + records - 1
        cpu, redis, processing = at.cpu(), used_memory(stage), in_process(stage)
        memory_early: dict[str, int] = {}
        begun = time.perf_counter()
        click = at.ask("click", first=first, last=last)
        queued = used_memory(stage) - redis
        peak = [queued]

        def watch(left: int) -> None:
            if not memory_early and left < records * 0.8:
                memory_early.update(at.memory())
            peak[0] = max(peak[0], used_memory(stage) - redis) if contender is OURS else peak[0]

        left = at.left_in_run if contender in WITH_RUNS else lambda: at.left(first, last)
        moment, lost = at.wait(left, poll=0.02 if records < 200_000 else 0.25, watch=watch)
        time.sleep(SETTLE)
        seconds, done = moment - begun, records - lost
        return {
            "records": records, "seconds": seconds, "rate": done / seconds, "lost": lost, "click": click["seconds"],
            "cpu_us": (at.cpu() - cpu) / max(done, 1) * 1e6, "web_grew": click["memory_grew"], "memory": at.memory(),
            "memory_early": memory_early, "latencies": latencies, "redis_peak": peak[0], "load": os.getloadavg()[0],
            "redis_bytes": (used_memory(stage) - redis) / records,
            **({"process_us": (in_process(stage) - processing) / records * 1e6} if contender is BARE else {}),
            **(growth(at, vendor, records) if contender is OURS else {}),
            **(pages(at, vendor) if look else {}),
        }  # fmt: skip


def _single(at: Session, pk: int) -> float:
    """One record, from the click to its outcome visible, the workers idle."""
    time.sleep(0.15)
    begun = time.perf_counter()
    at.ask("click", first=pk, last=pk)
    moment, left = at.wait(lambda: at.left(pk, pk), poll=0.002)
    return moment - begun if not left else float("nan")


def click(stage: Stage, contender: Contender, vendor: str, records: int, sizes: list[int]) -> list[Figures]:
    """How long the request takes, for growing selections; no worker runs, so nothing competes with it."""
    found = []
    for size in sizes:
        with session(stage, contender, vendor, records, workers=False) as at:
            at.ask("click", first=1, last=1)  # the first request of a process loads code
            answer = at.ask("click", first=first_of_many(), last=first_of_many() + size - 1)
        found.append({"records": size, "click": answer["seconds"], "web_grew": answer["memory_grew"]})
    return found


def slow(stage: Stage, vendor: str, records: int, seconds: float) -> Figures:
    """Records that take their time, on two processes, against half of the sum."""
    with session(stage, OURS, vendor, 1_000, BENCH_SLEEP=str(seconds)) as at:
        steps: list[int] = []
        begun = time.perf_counter()
        first = first_of_many()
        at.ask("start", task="bench.peers.ours.tasks.slow", first=first, last=first + records - 1)
        moment, lost = at.wait(at.left_in_run, poll=0.02, watch=steps.append)
        ideal = seconds * -(-records // 2)
        drops = [a - b for a, b in zip(steps, steps[1:], strict=False) if a > b]
        return {
            "records": records, "each": seconds, "seconds": moment - begun, "ideal": ideal, "lost": lost,
            "ratio": (moment - begun) / ideal, "largest_step": max(drops, default=0), "load": os.getloadavg()[0],
        }  # fmt: skip


def in_process(stage: Stage) -> float:
    """Seconds of processor time that the bare loop has spent in process() so far."""
    return float(stage.redis.get(PROCESSING) or 0)


def used_memory(stage: Stage) -> int:
    """Bytes that Redis holds, without what its clients' buffers take."""
    info = stage.redis.info("memory")
    return int(info["used_memory_dataset"])


def pages(at: Session, vendor: str) -> Figures:
    if vendor == "postgresql":
        at.database.execute("VACUUM ANALYZE")  # as autovacuum does within a minute
    return at.ask("look")


TABLES = ("runs_runitem", "runs_changeset", "django_celery_results_taskresult", "records_yourmodel", "records_search")


def growth(at: Session, vendor: str, records: int) -> Figures:
    """Bytes a record by table, with indexes; the search's on SQLite is made of several."""
    if vendor == "postgresql":
        at.database.execute("VACUUM")
        sizes = {name: at.one(f"SELECT pg_total_relation_size('{name}')") for name in TABLES}
        return {"bytes": {name: size / records for name, size in sizes.items()}}
    at.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    indexes = "SELECT name FROM sqlite_master WHERE tbl_name = '{name}' OR tbl_name GLOB '{name}_*'"
    total = "SELECT sum(pgsize) FROM dbstat WHERE name IN ({indexes})"
    try:
        sizes = {name: at.one(total.format(indexes=indexes.format(name=name))) for name in TABLES}
    except Exception:  # this SQLite was built without dbstat
        whole = at.one("PRAGMA page_count") * at.one("PRAGMA page_size")
        return {"bytes": {"whole file": whole / records}}
    return {"bytes": {name: size / records for name, size in sizes.items()}}
