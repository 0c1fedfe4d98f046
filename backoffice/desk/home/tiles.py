"""Tiles: what waits in each list, as a worker last counted it, and whether that is less than the day before."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ..models import DayCount
from .counting import lists, today

LOOKED_BACK = 8  # days
LATE = timedelta(minutes=3)  # after which the counts may be wrong
OURS = ("django", "unfold", "import_export", "backoffice")  # packages whose lists show everybody the same rows


@dataclass(frozen=True, slots=True)
class Tile:
    words: str
    url: str
    number: str = ""  # not counted
    moved: str = ""
    way: str = ""  # fewer, more, same


@dataclass(slots=True)
class Tiles:
    """Those of one list."""

    title: str
    url: str
    tiles: list[Tile] = field(default_factory=list)
    counted_at: datetime | None = None

    @property
    def age(self) -> str:
        if self.counted_at is None:
            return _("Counted within half a minute, by a worker.")
        ago = {"ago": naturaltime(self.counted_at)}
        return _("Counted %(ago)s, and not since: see Health.") % ago if self.is_late else _("Counted %(ago)s.") % ago

    @property
    def is_late(self) -> bool:
        return self.counted_at is not None and timezone.now() - self.counted_at > LATE


def tiles(request: HttpRequest, rows: list[DayCount]) -> list[Tiles]:
    """Of the lists that this person may open."""
    counts = latest(rows)
    found = [of_list(each, request, counts) for each in opened_by(request)]
    return [each for each in found if each.tiles]


def counted(request: HttpRequest, days: int) -> QuerySet[DayCount]:
    """Of the lists that this person may open, and in which all see the same, the newest first."""
    labels = [each.model._meta.label_lower for each in opened_by(request) if counts_for(each, request.user)]
    return DayCount.objects.filter(label__in=labels, day__gt=today() - timedelta(days=days)).order_by("-day")


def opened_by(request: HttpRequest) -> list[Any]:
    return [each for each in lists() if each.has_view_or_change_permission(request)]


def counts_for(model_admin: Any, user: Any) -> bool:
    """Whether they are of the rows that this person sees: a list of its own kind may show each person others."""
    return user.is_superuser or type(model_admin).get_queryset.__module__.partition(".")[0] in OURS


def latest(rows: list[DayCount]) -> dict[tuple[str, str], list[DayCount]]:
    """Of each filter its counts, the newest first."""
    found: dict[tuple[str, str], list[DayCount]] = defaultdict(list)
    for row in rows:
        if row.kind == DayCount.Kind.WAITING:
            found[row.label, row.key].append(row)
    return found


def of_list(model_admin: Any, request: HttpRequest, counts: dict[tuple[str, str], list[DayCount]]) -> Tiles:
    opts = model_admin.model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    found = Tiles(capfirst(str(opts.verbose_name_plural)), url)
    for words, query in model_admin.get_named_filters(request):
        known = counts.get((opts.label_lower, query), [])
        found.tiles.append(tile(str(words), f"{url}?{query}", known))
        found.counted_at = max(
            [at for at in (found.counted_at, *(each.counted_at for each in known[:1])) if at], default=None
        )
    return found


def tile(words: str, url: str, known: Sequence[DayCount]) -> Tile:
    if not known:
        return Tile(words, url)
    now, *before = known
    way, moved = moved_since(now, before[0]) if before else ("", "")
    return Tile(words, url, f"{now.number:,}", moved, way)


def moved_since(now: DayCount, before: DayCount) -> tuple[str, str]:
    is_yesterday = before.day == today() - timedelta(days=1)
    told = {"n": f"{abs(now.number - before.number):,}"}
    told["day"] = _("yesterday") if is_yesterday else date_format(before.day, "j M")
    if now.number < before.number:
        return "fewer", _("%(n)s fewer than %(day)s") % told
    if now.number > before.number:
        return "more", _("%(n)s more than %(day)s") % told
    return "same", _("as many as %(day)s") % told
