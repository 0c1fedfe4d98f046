"""The kinds of differences that a comparison finds, in words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from backoffice.runs.doctor.findings import Drift


class Kind(NamedTuple):
    words: Any
    meaning: Any


KINDS: Mapping[str, Kind] = {
    "rows_missing": Kind(_("rows missing"), _("The ledger tells an end, and there is no task result of it.")),
    "rows_wrong": Kind(_("rows wrong"), _("A task result says another state than the ledger.")),
    "redis_wrong": Kind(
        _("keys in Redis wrong"),
        _("Redis answers another state than the ledger, or nothing readable."),
    ),
    "too_early": Kind(
        _("results of items that have not ended"),
        _("A task result or Redis tells an end of a record that is still to be worked on."),
    ),
    "orphans": Kind(_("items held by nobody"), _("Records said to be in work, whose message is gone.")),
    "holds_wrong": Kind(
        _("items that hold their record wrongly"),
        _("Records that have ended and keep other runs out, or that have not and do not."),
    ),
    "chunks_left": Kind(_("chunks of ended runs"), _("Messages of runs that have ended.")),
    "runs_wrong": Kind(
        _("runs counted or closed wrongly"),
        _("Counts, state or end are not those of their records."),
    ),
    "tallies_wrong": Kind(
        _("runs whose outcomes are counted wrongly"),
        _("How many records came to an outcome, or failed alike, is not what their records say."),
    ),
    "calls_wrong": Kind(
        _("calls that row and key tell differently"),
        _("Of calls outside of runs task result and Redis tell different ends."),
    ),
    "calls_stuck": Kind(
        _("calls that began and came to no end"),
        _("Calls outside of runs that began so long ago that nobody is at them."),
    ),
    "set_aside": Kind(
        _("outcomes set aside, which the database refuses"),
        _("Outcomes that waited in Redis and are no rows, or none that the database takes."),
    ),
    "leases": Kind(_("leases long expired"), _("Released by a repair.")),
}


def found(drift: Drift) -> str:
    counts = drift.as_dict()
    return ", ".join(f"{counts[name]} {kind.words}" for name, kind in KINDS.items() if counts[name])
