"""What a task said of a record, in words: the ledger keeps a label, which may be a code, and a sentence."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType

from ...models import Run


@dataclass(frozen=True, slots=True)
class Badge:
    word: str
    colour: str


def admin_of(run: Run) -> Any:
    """The admin of the run's records, where it knows words for outcomes; else None."""
    kind = ContentType.objects.get_for_id(run.record_type_id)  # which is kept, as run.record_type is not
    found = admin.site._registry.get(kind.model_class())  # type: ignore[arg-type]
    return found if hasattr(found, "outcome_badge_by") else None


def badge(run: Run, label: str) -> Badge:
    own = admin_of(run)
    found: Badge = own.outcome_badge_by(run.task.name, label) if own else Badge(label, "calm")
    return found


def split(run: Run, outcome: str) -> tuple[Badge | None, str]:
    """An outcome as the ledger keeps it: its label's badge, and what is said besides."""
    label, _colon, detail = outcome.partition(": ")
    own = admin_of(run)
    return badge(run, label) if label else None, str(own.outcome_detail(detail)) if own and detail else detail


def in_words(run: Run, outcome: str) -> str:
    found, detail = split(run, outcome)
    return ": ".join(part for part in (found.word if found else "", detail) if part)
