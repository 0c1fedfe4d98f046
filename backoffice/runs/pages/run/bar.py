"""What the records of a run came to, as parts of a bar and in one sentence. Each part leads to its records."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ...counting.again import LABEL
from ...counting.groups import in_words as in_common
from ...models import State, Tally
from . import words
from .words import Badge

OTHER = "other"  # in an address: of too many to be told apart
ALONE = "ALONE"  # for the states that pages choose by: those that an undo left alone
ORDER = ("good", "calm", "hint", "info", "warning", "bad")


@dataclass(slots=True)
class Part:
    """Records of a run that came to the same."""

    badge: Badge
    number: int
    value: str  # for an address
    name: str = "outcome"  # of the parameter there
    labels: list[str] = field(default_factory=list)  # of outcomes, as the ledger keeps them

    @property
    def query(self) -> str:
        return urlencode({self.name: self.value})


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of a run that are alike."""

    words: str
    number: int
    value: str  # for an address

    @property
    def query(self) -> str:
        return urlencode({"alike": self.value})


def parts(run: Any, tallies: Iterable[Tally]) -> list[Part]:
    """Outcomes first, then what failed, was left alone, or was cancelled; what is open is no part."""
    told = outcomes(run, tallies)
    if (rest := run.succeeded - sum(part.number for part in told)) > 0:
        # Of the time before they were counted, and without its records.
        told.append(Part(Badge(_("succeeded"), "good"), rest, str(State.SUCCESS), "state"))
    ends = (
        (State.FAILURE, _("failed"), "bad", run.failed),
        (ALONE, _("left alone"), "warning", run.conflicts),
        (State.REVOKED, _("cancelled"), "none", run.revoked - run.conflicts),
    )
    told += [Part(Badge(word, colour), number, str(state), "state") for state, word, colour, number in ends if number]
    return told


def outcomes(run: Any, tallies: Iterable[Tally]) -> list[Part]:
    """A part for each word: a code of now, and the word that a version before kept, are the same."""
    found: dict[str, Part] = {}
    for tally in tallies:
        if tally.kind == Tally.Kind.OUTCOME:
            badge = words.badge(run, tally.key) if tally.key else Badge(_("other outcomes"), "calm")
            part = found.setdefault(badge.word, Part(badge, 0, tally.key or OTHER))
            part.number += tally.number
            part.labels.append(tally.key)
    return sorted(found.values(), key=lambda part: (place(part.badge), -part.number, part.badge.word))


def place(badge: Badge) -> int:
    return ORDER.index(badge.colour) if badge.colour in ORDER else 1


def groups(tallies: Iterable[Tally]) -> list[Group]:
    """The most frequent first."""
    failed = [tally for tally in tallies if tally.kind == Tally.Kind.FAILURE]
    failed.sort(key=lambda tally: (not tally.key, -tally.number, tally.words))
    return [Group(in_common(tally.words) or _("other errors"), tally.number, tally.key or OTHER) for tally in failed]


def in_words(told: Iterable[Part]) -> str:
    """For example "612 valid, 360 review, 21 failed"."""
    return ", ".join(f"{part.number:,} {part.badge.word}" for part in told)


# --- the records of one part


def with_outcome(items: "QuerySet[Any]", told: list[Part], value: str) -> "QuerySet[Any]":
    """Those of one part, or that say just this label."""
    items = items.filter(state=State.SUCCESS)
    part = next((part for part in told if part.name == "outcome" and part.value == value), None)
    if part is None:
        return items.alias(label=LABEL).filter(label=value)
    if "" not in part.labels:
        return items.alias(label=LABEL).filter(label__in=part.labels)
    return items.alias(label=LABEL).exclude(label__in=[label for each in told for label in each.labels if label])


def alike(items: "QuerySet[Any]", told: list[Group], value: str) -> "QuerySet[Any]":
    items = items.filter(state=State.FAILURE)
    if value == OTHER:
        return items.exclude(alike__in=[group.value for group in told])
    return items.filter(alike=value)
