"""What came of a task, in one line: of a record of a run as its pages tell it."""

from typing import Any

from celery import states
from django.db.models import QuerySet
from django.db.models.functions import Substr

from backoffice.runs.models import Run
from backoffice.runs.pages.run import words

from ..parts.documents import load, one_line

LOOKED_AT = 2_000  # characters of a long text that a list reads


def with_beginnings(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Of the long texts as much as a line needs."""
    return rows.annotate(result_begins=Substr("result", 1, LOOKED_AT), meta_begins=Substr("meta", 1, LOOKED_AT))


def in_words(result: Any, run: Run | None, longest: int = 300) -> str:
    """Nothing of what has not ended."""
    if result.status not in states.READY_STATES:
        return ""
    if result.status == states.SUCCESS and run is not None and (told := of_item(result)):
        line = words.in_words(run, told)
        return line if len(line) <= longest else f"{line[: longest - 1]}…"
    return one_line(begins(result, "result"), longest)


def of_item(result: Any) -> str:
    """The ledger's words, as the row has them."""
    said = load(begins(result, "meta"))
    return str(said.get("outcome") or "") if isinstance(said, dict) else ""


def begins(result: Any, column: str) -> str:
    read = f"{column}_begins"  # empty where the column is: that is no reason to ask again
    return str(getattr(result, read if read in result.__dict__ else column) or "")
