"""All records of each kind compared anew, in slices: first of all those that are there, and then once a day.

Whoever writes records keeps their likenesses; what SQL or `QuerySet.update` wrote is found here.
"""

import time
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ..models import Likeness, LookedOver, Processable, compared

SECONDS = 2.0  # of one sweep
AT_ONCE = 500
REST = timedelta(days=1)


def kinds() -> list[Any]:
    models = (model for model in apps.get_models() if issubclass(model, Processable))
    return [model for model in models if model.compared and not model._meta.proxy]


def is_complete(model: Any) -> bool:
    """Whether all records were compared under the rules there are."""
    state = LookedOver.objects.filter(record_type=compared.kind_of(model), rules=_rules(model))
    return state.filter(Q(is_first=False) | Q(finished_at__isnull=False)).exists()


def look_over(seconds: float = SECONDS) -> int:
    """Go on for so long. Returns how many records were looked at."""
    until, done = time.monotonic() + seconds, 0
    states = {state.record_type_id: state for state in LookedOver.objects.all()}
    for model in kinds():
        state = states.get(compared.kind_of(model))
        while time.monotonic() < until and not _is_at_rest(model, state):
            done += _slice(model)
            state = _state(model)
    return done


def _is_at_rest(model: Any, state: LookedOver | None) -> bool:
    """All were looked over, not long ago."""
    if state is None or state.finished_at is None or state.rules != _rules(model):
        return False
    return state.finished_at > timezone.now() - REST


def _rules(model: Any) -> str:
    text = " ".join((*model.compared, model.likeness_rules))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _state(model: Any) -> LookedOver:
    kind, rules = compared.kind_of(model), _rules(model)
    state, _made = LookedOver.objects.get_or_create(record_type_id=kind, defaults={"rules": rules})
    if state.rules != rules:
        state.rules, state.is_first, state.after, state.finished_at = rules, True, 0, None
        LookedOver.objects.filter(pk=state.pk).update(rules=rules, is_first=True, after=0, finished_at=None)
    return state


def _slice(model: Any) -> int:
    """The next records; how many they were."""
    state = _state(model)
    if state.finished_at:
        begun = LookedOver.objects.filter(pk=state.pk, finished_at=state.finished_at)
        begun.update(is_first=False, after=0, finished_at=None, begun_at=timezone.now())
        return 0
    with transaction.atomic():
        # Locked: what others write in them meanwhile they keep themselves, after this.
        rows = model._base_manager.filter(pk__gt=state.after).order_by("pk").select_for_update(no_key=True)
        ids = list(rows.values_list("pk", flat=True)[:AT_ONCE])
        last = ids[-1] if len(ids) == AT_ONCE else None
        _forget_the_gone(model, state.after, last, ids)
        compared.keep(model, ids, ends=not state.is_first)
        # Whoever died between a commit and what follows it left these unmarked.
        compared.refresh_later(compared.kind_of(model), set(compared.values_of(model, ids)))
        own = LookedOver.objects.filter(pk=state.pk, after=state.after)
        if last is None:
            own.update(finished_at=timezone.now())
        else:
            own.update(after=last)
    return len(ids)


def _forget_the_gone(model: Any, after: int, last: int | None, there: list[int]) -> None:
    known = Likeness.objects.filter(record_type=compared.kind_of(model), record_id__gt=after)
    known = known if last is None else known.filter(record_id__lte=last)
    gone = known.exclude(record_id__in=there).values_list("record_id", flat=True).distinct()
    compared.forget(model, list(gone))
