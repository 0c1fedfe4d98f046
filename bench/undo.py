"""Undo of a run, of records as the run left them and with every tenth changed since."""

import os
import time
from typing import Any

from .contenders import OURS
from .session import Session, first_of_many, session
from .stage import Stage

BY_HAND = "by hand"  # fits into the field, and no rule says it
EVERY = 10  # so many records to one that moved


def measure(stage: Stage, vendor: str, records: int, *, moved: bool) -> dict[str, Any]:
    """From the press to the last record; then whether a record that moved was overwritten, or is not listed."""
    with session(stage, OURS, vendor, records) as at:
        first, last = first_of_many(), first_of_many() + records - 1
        at.ask("click", first=first, last=last)
        _moment, lost = at.wait(at.left_in_run, poll=0.05)
        seeded = _move(at, first) if moved else 0
        press = at.ask("undo")
        begun = time.perf_counter() - press["seconds"]
        moment, left = at.wait(at.left_in_run, poll=0.02)
        seconds, done = moment - begun, records - lost - left
        still = at.one(f"SELECT count(*) FROM records_yourmodel WHERE rules_version = '{BY_HAND}'")
        conflicts = at.one("SELECT conflicts FROM runs_run ORDER BY id DESC LIMIT 1")
        return {
            "records": records, "seconds": seconds, "rate": done / seconds, "lost": lost + left, "page": press["page"],
            "click": press["seconds"], "moved": seeded, "conflicts": conflicts, "overwritten": seeded - still,
            "listed": at.one("SELECT count(*) FROM runs_leftalone"), "load": os.getloadavg()[0],
            "set_back": at.one(f"SELECT count(*) FROM records_yourmodel WHERE NOT processed AND id >= {first}"),
        }  # fmt: skip


def _move(at: Session, first: int) -> int:
    which = f"id >= {first} AND id % {EVERY} = 0"
    at.database.execute(f"UPDATE records_yourmodel SET rules_version = '{BY_HAND}' WHERE {which}")
    return int(at.one(f"SELECT count(*) FROM records_yourmodel WHERE {which}"))
