"""What a record task would say of the rows of a file: tried on records that nobody saves."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from backoffice.runs.models import Processable, compared
from backoffice.runs.pages.run.words import Badge
from backoffice.runs.registry import RecordTask
from backoffice.runs.seam import Outcome

from .rows import ImportRow
from .whole_rows import record_of

SECONDS = 1.0
AT_ONCE = 500
READS = ("SELECT", "WITH", "EXPLAIN")


class Writes(Exception):
    """A function that is tried wrote to the database: it cannot be tried."""


@dataclass(slots=True)
class Trial:
    """Of one row: its record as it would be, what is said of the stored one, and what would be said of it then."""

    record: Any
    before: Badge | None
    after: Badge | None = None
    words: list[str] = field(default_factory=list)
    error: str = ""
    numbers: set[int] = field(default_factory=set)  # by which it is compared with others


@dataclass(slots=True)
class Trials:
    """By line of the file. `left`: rows for which there was no time."""

    of: dict[int, Trial]
    left: int

    @property
    def counts(self) -> list[tuple[Badge, int]]:
        """How often each outcome came, the most first."""
        return Counter(each.after for each in self.of.values() if each.after).most_common()

    @property
    def failed(self) -> int:
        return sum(bool(each.error) for each in self.of.values())


def trials_of(model_admin: Any, task: RecordTask | None, rows: Sequence[ImportRow], seconds: float = SECONDS) -> Trials:
    """Of the rows in their order, for so long; of a model that has no check only the records as they would be."""
    until, found = time.monotonic() + seconds, dict[int, Trial]()
    is_compared = issubclass(model_admin.model, Processable) and bool(model_admin.model.compared)
    for row, record, before in _records(model_admin, rows):
        if found and time.monotonic() > until:
            break
        found[row.line] = trial = Trial(record, before)
        if is_compared and (row.is_new or compared.is_touched(model_admin.model, row.changes)):
            trial.numbers = set(compared.numbers_of(record))
        if task is not None:
            _try(model_admin, task, trial)
    return Trials(found, len(rows) - len(found))


def _records(model_admin: Any, rows: Sequence[ImportRow]) -> Iterator[tuple[ImportRow, Any, Badge | None]]:
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        stored = model_admin.model._base_manager.in_bulk([row.pk for row in some if row.pk is not None])
        for row in some:
            there = stored.get(row.pk)
            before = _said(model_admin, there) if there is not None else None
            yield row, record_of(row, there), before


def _said(model_admin: Any, record: Any) -> Badge | None:
    known = getattr(model_admin, "outcome_of", lambda _record: None)(record)
    return model_admin.doubt(record, known, failed=False) or known if known else None


def _try(model_admin: Any, task: RecordTask, trial: Trial) -> None:
    try:
        with connection.execute_wrapper(_refuse_writes):
            outcome = task.guarded({})(trial.record) or Outcome("done")
    except Exception as error:
        trial.error = f"{type(error).__name__}: {error}".strip()[:300]
        return
    own = model_admin.outcome_of(trial.record) if model_admin.outcome_field else None
    trial.after = own or model_admin.outcome_badge_of(str(getattr(outcome, "label", outcome)))
    trial.words = list(model_admin.check_words(trial.record, outcome))


def _refuse_writes(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if not sql.lstrip("( ").upper().startswith(READS):
        raise Writes(_("It writes to the database, which nothing does before a file is confirmed."))
    return execute(sql, params, many, context)


def ordered(rows: Iterable[ImportRow], first: Sequence[ImportRow]) -> list[ImportRow]:
    """Those that the page shows, and then the others."""
    lines = {row.line for row in first}
    return [*first, *(row for row in rows if row.line not in lines)]
