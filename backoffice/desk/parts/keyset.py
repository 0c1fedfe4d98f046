"""Pages of a long table by primary key: no COUNT, no OFFSET, and a bounded look for rows that match a filter."""

import time
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from backoffice.runs.pages.lists import StaffList
from backoffice.runs.pages.numbers import row_number

OLDER, NEWER = "before", "after"
WINDOW = 20_000  # ids looked at first
GROWTH = 8
BUDGET = 0.12  # seconds for looking; then the page says how far it looked, and offers to go on


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first; the cursors of its neighbours; and whether the look ended before the table did."""

    rows: list[Any]
    older: int | None = None
    newer: int | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a look through the ids found, and the id where it ended unless the table did."""

    rows: list[Any]
    stopped_at: int | None = None


def edge(rows: QuerySet[Any], order: str) -> int | None:
    """The first or last id of the whole table, which takes one step in an index."""
    return rows.model._default_manager.order_by(order).values_list("pk", flat=True).first()


class Look:
    """Walks the ids in growing windows, because no index fits every combination of filters.

    A window reads a bounded number of rows whatever the filter is. It grows while looking is quick, so a filter that
    an index answers reaches the end of the table in three or four queries.
    """

    def __init__(self, rows: QuerySet[Any], wanted: int) -> None:
        self.rows, self.wanted, self.found = rows, wanted, list[Any]()
        self.deadline = time.monotonic() + BUDGET

    def back(self, below: int) -> Stretch:
        end, size, rows = edge(self.rows, "pk"), WINDOW, self.rows.order_by("-pk")
        while end is not None and below > end:
            lower = max(below - size, end)
            size = self.read(rows.filter(pk__gte=lower, pk__lt=below), size)
            below = lower
            if not size:
                return Stretch(self.found, below if below > end else None)
        return Stretch(self.found)

    def forth(self, above: int) -> Stretch:
        end, size, rows = edge(self.rows, "-pk"), WINDOW, self.rows.order_by("pk")
        while end is not None and above < end:
            upper = min(above + size, end)
            size = self.read(rows.filter(pk__gt=above, pk__lte=upper), size)
            above = upper
            if not size:
                return Stretch(self.found, above if above < end else None)
        return Stretch(self.found)

    def read(self, window: QuerySet[Any], size: int) -> int:
        """Collect from one window, and say how large the next may be: 0 when it is time to stop."""
        started = time.monotonic()
        self.found += window[: self.wanted - len(self.found)]
        took, left = time.monotonic() - started, self.deadline - time.monotonic()
        if len(self.found) >= self.wanted or left <= took:
            return 0
        return int(size * min(GROWTH, max(1.0, left / max(took, 1e-6) / 2)))


def read_page(rows: QuerySet[Any], size: int, before: int | None, after: int | None, top: int | None = None) -> Page:
    """One page before (older than) or after (newer than) an id; the newest without either.

    `top` is an id that no match lies above, where a filter knows one.
    """
    if after is not None:
        found = Look(rows, size + 1).forth(after)
        if len(found.rows) > size or found.stopped_at is not None:
            return newer_page(found, size, after)
        before = None  # the newest page, which should be a full one
    newest = edge(rows, "-pk")
    below = min(limit for limit in (before, top, (newest or 0) + 1) if limit is not None)
    found = Look(rows, size + 1).back(below)
    shown = found.rows[:size]
    if before is not None and not shown and found.stopped_at is None:
        return oldest_page(rows, size)  # beyond the end
    full = len(found.rows) > size
    older = shown[-1].pk if full else found.stopped_at
    newer = None if before is None else shown[0].pk if shown else before - 1
    return Page(shown, older, newer, stopped=not full and older is not None)


def oldest_page(rows: QuerySet[Any], size: int) -> Page:
    found = Look(rows, size + 1).forth((edge(rows, "pk") or 0) - 1)
    shown = list(reversed(found.rows[:size]))
    newer = shown[0].pk if len(found.rows) > size else found.stopped_at
    return Page(shown, None, newer)


def newer_page(found: Stretch, size: int, after: int) -> Page:
    shown = list(reversed(found.rows[:size]))
    full = len(found.rows) > size
    newer = shown[0].pk if full else found.stopped_at
    return Page(shown, shown[-1].pk if shown else after + 1, newer, stopped=not full)


@dataclass(frozen=True, slots=True)
class Pager:
    """Stands where the changelist expects a paginator; unfold includes the template it names."""

    older_url: str
    newer_url: str
    newest_url: str
    stopped: bool
    shown: int
    template_name: str = "backoffice/keyset.html"
    per_page: int = 0


class KeysetChangeList(StaffList):
    """A changelist for tables of any length. It has one order: the newest first."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Model]:
        # Taken out before the filters read the rest, and so that a new search or filter begins at the newest page:
        # unfold's filter form copies what it finds in the request.
        self.before, self.after = self.take(OLDER), self.take(NEWER)
        rest = request.GET.copy()
        for cursor in (OLDER, NEWER):
            rest.pop(cursor, None)
        request.GET = rest  # type: ignore[assignment]
        return super().get_queryset(request, exclude_parameters)

    def take(self, name: str) -> int | None:
        self.filter_params.pop(name, None)
        return row_number(self.params.pop(name, ""))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Model]) -> list[str]:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        tops = [top for spec in self.filter_specs if (top := getattr(spec, "top", None)) is not None]
        page = read_page(self.queryset, self.list_per_page, self.before, self.after, min(tops, default=None))
        self.result_list = self.model_admin.dress(request, page.rows)
        self.paginator = Pager(
            older_url=self.get_query_string({OLDER: page.older}) if page.older is not None else "",
            newer_url=self.get_query_string({NEWER: page.newer}) if page.newer is not None else "",
            newest_url=self.get_query_string(),
            stopped=page.stopped,
            shown=len(page.rows),
        )
        # Equal, so that no "N results of M" appears: nobody counted.
        self.result_count = self.full_result_count = len(page.rows)
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
