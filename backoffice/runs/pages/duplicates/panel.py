"""What a record's page says about others that may be the same one."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist

from ...duplicates.look_over import is_complete
from ...models import Apart, compared
from .. import record_log
from .listed import visible

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    record: Any
    values: list[tuple[str, Any]]  # what is compared, each with its label
    alike: str
    record_url: str
    url: str


@dataclass(frozen=True, slots=True)
class Decision:
    other: str
    by: str
    reason: str
    at: Any
    url: str


@dataclass(frozen=True, slots=True)
class Panel:
    candidates: list[Candidate]
    left: int
    decisions: list[Decision]
    is_complete: bool
    may_decide: bool

    @property
    def number(self) -> int:
        return len(self.candidates) + self.left


def of(model_admin: Any, request: Any, record: Any) -> Panel | None:
    """None for a kind of record that is not compared."""
    model = type(record)
    if not model.compared:
        return None
    rows = model_admin.get_queryset(request)
    ids = visible(rows, model, [record.pk]).get(record.pk, [])
    others = rows.in_bulk(ids[:SHOWN])
    return Panel(
        [_candidate(model_admin, record, others[pk]) for pk in ids[:SHOWN] if pk in others],
        max(len(ids) - SHOWN, 0),
        _decisions(model_admin, rows, record),
        is_complete(model),
        model_admin.has_change_permission(request, record),
    )


def _candidate(model_admin: Any, record: Any, other: Any) -> Candidate:
    values = [(label_of(model_admin, name), shown(other, name)) for name in other.compared]
    alike = ", ".join(alike_in(model_admin, record, other))
    own = model_admin.url_of("change", other.pk)
    return Candidate(other, values, alike, own, model_admin.url_of("compare", record.pk, other.pk))


def _decisions(model_admin: Any, rows: Any, record: Any) -> list[Decision]:
    found: list[Apart] = list(compared.about(type(record), [record.pk]).order_by("-at", "-pk")[:SHOWN])
    pairs = [(each, each.high if each.low == record.pk else each.low) for each in found]
    others = rows.in_bulk([other for _each, other in pairs])
    return [
        Decision(str(others[pk]), each.by_name, each.reason, each.at, model_admin.url_of("compare", record.pk, pk))
        for each, pk in pairs
        if pk in others
    ]


def alike_in(model_admin: Any, one: Any, other: Any) -> list[str]:
    """In what two records are alike, in words."""
    mine, theirs = compared.numbers_of(one), compared.numbers_of(other)
    return [label_of(model_admin, name) for number, name in mine.items() if number in theirs]


def label_of(model_admin: Any, name: str) -> str:
    """Of a likeness, as the admin has a word for it, or of the field of that name."""
    if name in model_admin.likeness_words:
        return str(model_admin.likeness_words[name])
    try:
        return str(getattr(model_admin.opts.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:
        return name


def shown(record: Any, name: str) -> Any:
    return record_log.said(record._meta.get_field(name), record)


def looks_like(model_admin: Any, request: Any, record: Any) -> list[Any]:
    """Others that it may be the same as; at most three."""
    if not type(record).compared:
        return []
    rows = model_admin.get_queryset(request)
    ids = visible(rows, type(record), [record.pk]).get(record.pk, [])[:3]
    found = rows.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]
