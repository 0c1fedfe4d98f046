"""What the page tells of a comparison."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.runs.access import may_see
from backoffice.runs.doctor.findings import NAMED, Drift
from backoffice.runs.models import Run

from ..models import Comparison
from . import asking
from .kinds import KINDS


class Count(NamedTuple):
    words: Any
    meaning: Any
    number: int


class Difference(NamedTuple):
    words: Any
    number: int
    run: int | None
    run_url: str
    which: str


@dataclass(frozen=True)
class Shown:
    """A comparison, for templates."""

    row: Comparison

    @cached_property
    def drift(self) -> Drift:
        known = Drift.__dataclass_fields__
        return Drift(**{name: value for name, value in self.row.counts.items() if name in known})

    @property
    def state(self) -> str:
        """One word of Celery's, which has its badge."""
        if self.row.open:
            return "RETRY" if self.is_silent else "STARTED" if self.row.started_at else "PENDING"
        return "FAILURE" if self.row.error or self.drift.total else "SUCCESS" if self.is_whole else "RETRY"

    @property
    def is_whole(self) -> bool:
        return not self.row.error and not self.drift.redis_unknown

    @property
    def is_silent(self) -> bool:
        return bool(self.row.open) and self.row.heard_at < timezone.now() - asking.SILENT

    @property
    def label(self) -> str:
        if self.is_silent:
            return _("no word")
        if self.row.open:
            return _("comparing") if self.row.started_at else _("waits for a worker")
        if self.row.error:
            return _("came to no end")
        if self.drift.total:
            return _("they differ")
        return _("nothing is missing") if self.is_whole else _("Redis did not answer")

    @property
    def looked_at(self) -> str:
        runs, outcomes, calls = self.drift.runs, self.drift.compared, self.drift.calls
        told = {
            "outcomes": ngettext("%(n)s outcome", "%(n)s outcomes", outcomes) % {"n": f"{outcomes:,}"},
            "runs": ngettext("%(n)s run", "%(n)s runs", runs) % {"n": f"{runs:,}"},
            "calls": ngettext("%(n)s call", "%(n)s calls", calls) % {"n": f"{calls:,}"},
        }
        return _("%(outcomes)s of %(runs)s, and %(calls)s outside of runs") % told

    @property
    def age(self) -> str:
        return str(naturaltime(self.row.finished_at)) if self.row.finished_at else ""

    @property
    def took(self) -> str:
        if self.row.started_at is None or self.row.finished_at is None:
            return ""
        return _("%.1f s") % (self.row.finished_at - self.row.started_at).total_seconds()

    @property
    def counts(self) -> list[Count]:
        counts = self.drift.as_dict()
        return [Count(kind.words, kind.meaning, counts[name]) for name, kind in KINDS.items() if name != "leases"]

    @property
    def is_cut(self) -> bool:
        return len(self.row.differences) >= NAMED

    def differences(self, user: Any) -> Iterator[Difference]:
        runs = Run.objects.in_bulk([found["run"] for found in self.row.differences if found["run"]])
        for found in self.row.differences:
            run = runs.get(found["run"])
            url = reverse("admin:runs_run_change", args=[run.pk]) if run and may_see(user, run) else ""
            yield Difference(KINDS[found["kind"]].words, found["number"], found["run"], url, which(found))

    def as_json(self) -> dict[str, Any]:
        done = min(self.drift.compared, self.row.expected)
        expected = self.row.expected
        text = ngettext("%(done)s of %(total)s record", "%(done)s of %(total)s records", expected)
        return {
            "state": self.state,
            "final": not self.row.open or self.is_silent,
            "done": done,
            "total": expected,
            "text": text % {"done": f"{done:,}", "total": f"{expected:,}"},
        }


def which(found: dict[str, Any]) -> str:
    """The records or calls that are named, in words."""
    others = {name: value for name, value in found.items() if name not in ("kind", "number", "run")}
    told = ((name, ", ".join(map(str, value)) if isinstance(value, list) else value) for name, value in others.items())
    return "; ".join(f"{name}: {value}" for name, value in told)
