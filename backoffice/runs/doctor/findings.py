"""What a comparison of the accounts finds, and where its repairs are logged."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from backoffice.results import activity

from ..database.again import again
from ..models import Run

LOOKED_AT = ("runs", "compared", "calls", "redis_unknown")
NAMED = 200  # differences that a look keeps one by one; the others are counted


@dataclass(slots=True)
class Drift:
    runs: int = 0
    compared: int = 0  # terminal items
    calls: int = 0  # outside of runs, that Redis may still answer for
    rows_missing: int = 0  # terminal items without a TaskResult row
    rows_wrong: int = 0  # TaskResult rows that say another state
    redis_wrong: int = 0  # keys in Redis that say another state; a key that is gone is none: the row answers for it
    redis_unknown: bool = False  # Redis did not answer
    too_early: int = 0  # items that have not ended, though a row or a key says so
    orphans: int = 0  # items STARTED for a chunk that is no more
    holds_wrong: int = 0  # items that keep their record from other runs though they ended, or the reverse
    chunks_left: int = 0  # chunks of runs that have ended
    runs_wrong: int = 0  # runs whose counts, state or end are not those of their items
    tallies_wrong: int = 0  # runs that ended, of which it is told otherwise what their records came to
    calls_wrong: int = 0  # calls outside of runs whose row and key tell different ends
    calls_stuck: int = 0  # calls that began so long ago that nobody is at them
    set_aside: int = 0  # outcomes that waited in Redis and that the database refuses
    leases: int = 0  # that ran out long ago and were released by a repair

    @property
    def total(self) -> int:
        return sum(value for name, value in self.as_dict().items() if name not in LOOKED_AT)

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(slots=True)
class Kept:
    """What retention may have deleted by now: rows, or the items of runs, that ended before."""

    rows: datetime | None = None
    items: datetime | None = None


@dataclass(slots=True)
class Survey:
    """One look at everything. With `repair` what differs is written as the ledger has it, in the name of `by`."""

    repair: bool = False
    by: str = ""
    kept: Kept = field(default_factory=Kept)
    drift: Drift = field(default_factory=Drift)
    found: list[dict[str, Any]] = field(default_factory=list)  # while only looking: what differs, and where
    watch: Callable[[Drift], object] = lambda drift: None  # told how far it is, after each batch

    def step(self, step: Callable[[], object]) -> None:
        """One transaction of a repair: what it noted is forgotten where it is asked again. Looking alone takes no
        write lock, which on SQLite would hold every worker up."""
        if self.repair:
            self._repaired(step, self.drift)
        else:
            step()

    @again()
    def _repaired(self, step: Callable[[], object], before: Drift) -> None:
        self.drift = replace(before)
        with transaction.atomic():
            step()

    def note(self, kind: str, number: int, run: Run | str, **details: Any) -> None:
        """Count, and log what is repaired: in the transaction that does it."""
        setattr(self.drift, kind, getattr(self.drift, kind) + number)
        if number and self.repair:
            activity.log(self.by, "run.repaired", run, **{kind: number}, **details)
        elif number and len(self.found) < NAMED:
            of = run.pk if isinstance(run, Run) else None
            self.found.append({"kind": kind, "number": number, "run": of, **details})
