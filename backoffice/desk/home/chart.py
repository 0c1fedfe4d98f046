"""What came of records by day, as bars that the theme draws, and as a table."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ..models import DayCount
from .counting import today
from .tiles import opened_by

DAYS = 14
ORDER = ("good", "hint", "info", "calm", "warning", "bad")
# Tones that stand out on white and on the dark ground; a second outcome of a colour has the next one.
TONES = {
    "good": ("#16a34a", "#4d7c0f"),
    "hint": ("#2f6fde", "#6366f1"),
    "info": ("#0891b2", "#6366f1"),
    "calm": ("#6b7280", "#8b7d6b", "#64748b"),
    "warning": ("#c77d0a", "#a16207"),
    "bad": ("#e11d48", "#9f3a6b"),
}
GREY = "#7c8594"
OPTIONS: dict[str, Any] = {
    "animation": False,
    "maintainAspectRatio": False,
    "maxBarThickness": 32,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {
            "stacked": True,
            "border": {"display": False},
            "grid": {"display": False},
            "ticks": {"color": GREY, "maxRotation": 0, "autoSkipPadding": 12},
        },
        "y": {
            "stacked": True,
            "border": {"display": False},
            "grid": {"color": GREY, "tickLength": 0, "lineWidth": 0.5},
            "ticks": {"color": GREY, "precision": 0, "maxTicksLimit": 5, "padding": 6},
        },
    },
}


class Cell(NamedTuple):
    word: str
    number: int


class Row(NamedTuple):
    day: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Outcome:
    word: str
    tone: str
    numbers: list[int]  # by day

    @property
    def total(self) -> int:
        return sum(self.numbers)


@dataclass(frozen=True, slots=True)
class Chart:
    label: str
    title: str
    days: list[str]
    outcomes: list[Outcome]

    @property
    def data(self) -> str:
        bars = [{"label": each.word, "data": each.numbers, "backgroundColor": each.tone} for each in self.outcomes]
        return json.dumps({"labels": self.days, "datasets": bars})

    @property
    def options(self) -> str:
        return json.dumps(OPTIONS)

    @property
    def rows(self) -> list[Row]:
        """Day by day, the newest first; without the days on which nothing was checked."""
        found = [
            Row(day, [Cell(each.word, each.numbers[at]) for each in self.outcomes]) for at, day in enumerate(self.days)
        ]
        return [row for row in reversed(found) if any(cell.number for cell in row.cells)]


def charts(request: HttpRequest, rows: list[DayCount]) -> list[Chart]:
    """Of the lists whose records were checked in these days."""
    by_label: dict[str, list[DayCount]] = defaultdict(list)
    for row in rows:
        if row.kind != DayCount.Kind.WAITING:
            by_label[row.label].append(row)
    own = [(each, by_label[each.model._meta.label_lower]) for each in opened_by(request)]
    return [of_list(each, found) for each, found in own if found]


def of_list(model_admin: Any, rows: list[DayCount]) -> Chart:
    days = [today() - timedelta(days=ago) for ago in reversed(range(DAYS))]
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(days))
    for row in rows:
        found[named(model_admin, row)][days.index(row.day)] += row.number
    opts = model_admin.model._meta
    titles = [date_format(day, "j M") for day in days]
    return Chart(opts.label_lower, capfirst(str(opts.verbose_name_plural)), titles, toned(found))


def named(model_admin: Any, row: DayCount) -> tuple[str, str]:
    """Colour and word."""
    if row.kind == DayCount.Kind.FAILED:
        return "bad", _("failed")
    if not row.key:
        return "calm", _("other outcomes")
    task = next((task.name for task in model_admin.checks), "")
    badge = model_admin.outcome_badge_by(task, row.key)
    return badge.colour, badge.word


def toned(found: dict[tuple[str, str], list[int]]) -> list[Outcome]:
    seen: dict[str, int] = defaultdict(int)
    outcomes = []
    for (colour, word), numbers in sorted(found.items(), key=lambda each: (ORDER.index(each[0][0]), -sum(each[1]))):
        tones = TONES[colour]
        outcomes.append(Outcome(word, tones[seen[colour] % len(tones)], numbers))
        seen[colour] += 1
    return outcomes
