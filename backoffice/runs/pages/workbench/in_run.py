"""The record before or after another one among those of a run, for whoever came from the run's page."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, QueryDict

from ...database.bounded import bounded
from ...models import Run
from .. import back, items
from ..numbers import row_number

THINKING = 3.0  # seconds
SEVERAL = 500  # of which some may be deleted


def beside(model_admin: Any, request: HttpRequest, record: Any, is_next: bool) -> Any:
    """Its primary key; None at the end. Raises NotFromARun, and TooSlow."""
    run, chosen = _asked(model_admin.model, request)
    rows = model_admin.get_queryset(request).order_by()
    with bounded(THINKING, rows.db):
        found = items.chosen_of(run, chosen, run.tallies.all())
        beyond = found.filter(record_id__gt=record.pk) if is_next else found.filter(record_id__lt=record.pk)
        order = "record_id" if is_next else "-record_id"
        ids = list(beyond.order_by(order).values_list("record_id", flat=True)[:SEVERAL])
        there = set(rows.filter(pk__in=ids).values_list("pk", flat=True))
    return next((pk for pk in ids if pk in there), None)


class NotFromARun(Exception):
    """Or from one that this person may not see."""


def _asked(model: Any, request: HttpRequest) -> tuple[Run, items.Chosen]:
    number, _mark, query = QueryDict(back.filters(request)).get(back.RUN, "").partition("?")
    mine = Run.objects.visible_to(request.user).filter(record_type=ContentType.objects.get_for_model(model))
    pk = row_number(number)
    run = mine.filter(pk=pk).first() if pk else None
    if run is None:
        raise NotFromARun
    return run, items.Chosen.by(QueryDict(query))
