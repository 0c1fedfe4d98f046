"""How many records wait in each list, and what came of records by day: counted by a worker, so that no page does."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db import DatabaseError, transaction
from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from backoffice.runs.database.again import again, is_away
from backoffice.runs.database.bounded import TooSlow, bounded
from backoffice.runs.failing import outcome
from backoffice.runs.models import Run, Tally
from backoffice.runs.pages.records import ProcessableAdmin
from backoffice.schedules.rules import selection

from ..models import DayCount

logger = logging.getLogger(__name__)

THINKING = 5.0  # seconds for one filter
KEPT = timedelta(days=100)
BEGUN = timedelta(days=30)  # before the first count, of which outcomes are still told
NAMED = 20  # outcomes of one kind of record and day; the others are counted together, under an empty key

Row = tuple[date, str, str, int]  # day, kind, key, number


def lists() -> list[Any]:
    """The admins of records."""
    return [found for found in admin.site._registry.values() if isinstance(found, ProcessableAdmin)]


def count() -> None:
    """Raises nothing where the database is away: in half a minute it is asked again."""
    try:
        _count()
    except DatabaseError as error:
        if not is_away(error):
            raise
        logger.warning("Records are not counted: %s", str(error).partition("\n")[0])


def _count() -> None:
    for each in lists():
        count_outcomes(each)  # first: it asks which day was counted last
        write(each, [(today(), DayCount.Kind.WAITING.value, query, number) for query, number in waiting(each)])
    DayCount.objects.filter(day__lt=today() - KEPT).delete()


def today() -> date:
    return timezone.localdate()


def waiting(model_admin: Any) -> Iterator[tuple[str, int]]:
    """Of each named filter how many records it finds; one that cannot be asked, or takes too long, is left out."""
    for _words, query in model_admin.get_named_filters(selection.request_of(None)):
        try:
            yield query, number(model_admin.model, query)
        except (selection.BadSelection, TooSlow) as error:
            logger.warning("%s with the filter %r are not counted: %s", model_admin.model._meta.label, query, error)
        except Exception as error:  # of a team's own filter
            if is_away(error):
                raise
            logger.exception("%s with the filter %r are not counted.", model_admin.model._meta.label, query)


def number(model: Any, query: str) -> int:
    found = selection.records(model, {"selection": query})
    with bounded(THINKING, found.db):
        return found.count()


@again()
def count_outcomes(model_admin: Any) -> None:
    """Anew from the last day counted, and always of yesterday: what ended before midnight may be written after it."""
    own = DayCount.objects.filter(label=model_admin.model._meta.label_lower)
    last = own.order_by("-day").values_list("day", flat=True).first() or today() - BEGUN
    start = min(last, today() - timedelta(days=1))
    rows = [*outcomes(model_admin, start), *failures(model_admin, start)]
    with transaction.atomic():
        own.exclude(kind=DayCount.Kind.WAITING).filter(day__gte=start).delete()
        write(model_admin, rows)


def checked(model_admin: Any, start: date) -> dict[str, Any]:
    """The runs that gave these records their outcome, as a condition."""
    moment = timezone.make_aware(datetime.combine(start, time()))
    return {"finished_at__gte": moment, "task__in": outcome.numbers(model_admin.checks), "purpose": Run.Purpose.REAL}


def outcomes(model_admin: Any, start: date) -> Iterator[Row]:
    of_runs = {f"run__{name}": value for name, value in checked(model_admin, start).items()}
    tallies = Tally.objects.filter(kind=Tally.Kind.OUTCOME, **of_runs).annotate(day=TruncDate("run__finished_at"))
    by_day: dict[date, list[tuple[str, int]]] = defaultdict(list)
    for day, key, number in tallies.order_by().values_list("day", "key").annotate(n=Sum("number")):
        by_day[day].append((key, number))
    for day, found in by_day.items():
        found.sort(key=lambda each: (not each[0], -each[1], each[0]))
        yield from ((day, DayCount.Kind.OUTCOME.value, key, number) for key, number in found[:NAMED] if key)
        if rest := sum(number for key, number in found[NAMED:] + [each for each in found[:NAMED] if not each[0]]):
            yield day, DayCount.Kind.OUTCOME.value, "", rest


def failures(model_admin: Any, start: date) -> Iterator[Row]:
    runs = Run.objects.filter(failed__gt=0, **checked(model_admin, start)).annotate(day=TruncDate("finished_at"))
    for day, number in runs.order_by().values_list("day").annotate(n=Sum("failed")):
        yield day, DayCount.Kind.FAILED.value, "", number


def write(model_admin: Any, rows: list[Row]) -> None:
    label, now = model_admin.model._meta.label_lower, timezone.now()
    DayCount.objects.bulk_create(
        [
            DayCount(label=label, day=day, kind=kind, key=key, number=number, counted_at=now)
            for day, kind, key, number in rows
        ],
        update_conflicts=True,
        unique_fields=["day", "label", "kind", "key"],
        update_fields=["number", "counted_at"],
    )
