"""The decision that two records are not the same: a person, a reason, a date; and its withdrawal."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backoffice.results import activity

from ..database import references
from ..forms.reason import too_long
from ..models import Apart, compared
from .candidates import pair


class ChangedSince(ValueError):
    """One of the two is no longer as the person saw it."""


def seen(one: Any, other: Any) -> str:
    """What two records are compared by, as one short text."""
    return ".".join(
        f"{number:x}" for record in sorted((one, other), key=lambda each: each.pk) for number in _numbers(record)
    )


def _numbers(record: Any) -> list[int]:
    return sorted(compared.numbers_of(record))


def between(model: Any, one: int, other: int) -> QuerySet[Apart]:
    low, high = pair(one, other)
    return Apart.objects.filter(record_type=compared.kind_of(model), low=low, high=high)


def decide(model: Any, one: int, other: int, user: Any, reason: str, as_seen: str) -> Apart:
    """Say that two records are not the same. Raises ChangedSince, and ValueError without a reason or a record."""
    if not reason.strip():
        raise ValueError(_("Say why they are not the same: whoever comes later sees it."))
    if wrong := too_long(reason):
        raise ValueError(wrong)
    low, high = pair(one, other)
    with transaction.atomic():
        records = model._base_manager.filter(pk__in=(low, high)).order_by("pk").select_for_update(no_key=True)
        found = list(records)
        if low == high or len(found) != 2:
            raise ValueError(_("One of the two records is no longer there."))
        if seen(*found) != as_seen:
            raise ChangedSince(_("One of the two was changed after you opened this page: look at them again."))
        decided, is_new = Apart.objects.get_or_create(
            record_type_id=compared.kind_of(model),
            low=low,
            high=high,
            defaults={
                "by": user if references.stays(get_user_model(), user.pk) else None,
                "by_name": activity.name_of(user),
                "reason": reason.strip(),
            },
        )
        if is_new:
            compared.log(model, "record.apart", user, [decided])
            _refresh(model, low, high)
    return decided


def withdraw(model: Any, one: int, other: int, user: Any, reason: str = "") -> bool:
    """End the decision. False when there is none any more. Raises ValueError for a reason that is too long."""
    if wrong := too_long(reason):
        raise ValueError(wrong)
    with transaction.atomic():
        found = list(between(model, one, other).select_for_update())
        if found:
            compared.log(model, "record.apart_withdrawn", user, found, reason.strip())
            Apart.objects.filter(pk__in=[each.pk for each in found]).delete()
            _refresh(model, one, other)
    return bool(found)


def _refresh(model: Any, *ids: int) -> None:
    compared.refresh_later(compared.kind_of(model), set(compared.values_of(model, ids)))
