"""Whom a person may change, and what they may grant: nobody gets further by the right to edit people than they are.

Powers are permissions, one's own and one's groups'; a superuser has all of them, and so has only a superuser's equal.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db.models import Model, Q, QuerySet


def permissions_of(user: Any) -> QuerySet[Permission]:
    """Those of somebody who is turned off, too: turned on again, they have them."""
    return Permission.objects.filter(Q(user=user) | Q(group__user=user))


def beyond(user: Any) -> QuerySet[Permission]:
    """The permissions that a person lacks."""
    return Permission.objects.exclude(pk__in=permissions_of(user).values("pk"))


def covers(user: Any, other: Model | None) -> bool:
    """Whether a person has all the powers of another one; of a group: all of its own, and of each of its members."""
    if user.is_superuser or other is None:
        return True
    if isinstance(other, Group):
        theirs = Q(group=other) | Q(user__groups=other) | Q(group__user__groups=other)
        return not other.user_set.filter(is_superuser=True).exists() and not beyond(user).filter(theirs).exists()
    if isinstance(other, get_user_model()):
        return not other.is_superuser and not beyond(user).filter(Q(user=other) | Q(group__user=other)).exists()
    return False


def grantable(user: Any, choices: QuerySet[Any]) -> QuerySet[Any]:
    """Of permissions those that a person has, of groups those that hold no others."""
    if user.is_superuser:
        return choices
    if choices.model is Group:
        return choices.exclude(pk__in=Group.objects.filter(permissions__in=beyond(user)).values("pk"))
    return choices.filter(pk__in=permissions_of(user).values("pk"))
