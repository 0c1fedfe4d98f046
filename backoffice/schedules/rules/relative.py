"""Days that move with the calendar: a filter may say "today", "today-7", "week", "month+1" or "year" for a date.

They are read at each firing, as of its due time and in the schedule's own time zone; never when a schedule is saved.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django.contrib.admin.utils import NotRelationField, get_fields_from_path
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import DateField, DateTimeField, Model
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from . import timing
from .lookups import BadSelection

# A plus is a space where it was an address's.
WORD = re.compile(r"(today|week|month|year)(?:([+ -])(\d{1,4}))?")
OF_DAYS = frozenset({"exact", "gt", "gte", "lt", "lte"})
OF_TIMES = frozenset({"gte", "lt"})  # a day is many times: it begins, and it ends before the next
# What a list's filter of dates offers by name: from, and before.
LISTED = (("today", "today 1"), ("today-7", "today 1"), ("month", "month 1"), ("year", "year 1"))


def moment_of(schedule: PeriodicTask | None, due: datetime | None = None) -> datetime:
    """When a schedule's words are read, in the time zone whose days it means."""
    zone = timing.zone_of(schedule) if schedule else timezone.get_default_timezone()
    return (due or timezone.now()).astimezone(zone)


def zone_of(moment: datetime) -> tzinfo:
    return moment.tzinfo or timezone.get_default_timezone()


def is_word(value: Any) -> bool:
    return isinstance(value, str) and WORD.fullmatch(value) is not None


def parsed(word: str) -> tuple[str, int]:
    """The unit, and how many of it away. Of what is_word says is one."""
    unit, sign, digits = re.findall(WORD, word)[0]
    return unit, int(digits or 0) * (-1 if sign == "-" else 1)


def day_of(word: str, today: date) -> date:
    """Of a week its Monday, of a month or a year its first day. Raises BadSelection."""
    unit, number = parsed(word)
    try:
        if unit == "today":
            return today + timedelta(days=number)
        if unit == "week":
            return today - timedelta(days=today.weekday()) + timedelta(weeks=number)
        months = today.year * 12 + (today.month - 1 + number if unit == "month" else 12 * number)
        return date(months // 12, months % 12 + 1, 1)
    except (ValueError, OverflowError) as error:
        raise BadSelection(_("“%(word)s” lies outside of the calendar.") % {"word": word}) from error


def dated(model: type[Model], key: str) -> tuple[Any, str, str] | None:
    """Of a condition on a date its field, what it says of it, and what it asks; over relations, too."""
    path, _separator, lookup = key.rpartition("__")
    tries = [(key, "exact"), (path, lookup)]
    tries += [(key.removesuffix(end), "range") for end in ("_from", "_to") if key.endswith(end)]  # of a list
    for name, asked in tries:
        try:
            field = get_fields_from_path(model, name)[-1] if name else None
        except (FieldDoesNotExist, NotRelationField):
            continue
        if isinstance(field, DateField):
            return field, name, asked
    return None


def fixed_value(model: type[Model], key: str, value: Any, moment: datetime) -> Any:
    """The day that is meant at this moment, as the field takes it; any other value as it is. Raises BadSelection."""
    found = dated(model, key)
    if found is None or not isinstance(value, str) or found[2] not in {*OF_DAYS, "range"}:
        return value
    field, name, lookup = found
    if not is_word(value):
        return checked(field, name, value, moment)
    day = day_of(value, moment.date())
    if not isinstance(field, DateTimeField):
        return day.isoformat()
    if lookup not in OF_TIMES:
        words = _("“%(field)s” holds times: say from a day with “%(field)s__gte”, before a day with “%(field)s__lt”.")
        raise BadSelection(words % {"field": name})
    return datetime.combine(day, time(), zone_of(moment)).isoformat(" ")


def checked(field: Any, name: str, value: str, moment: datetime) -> str:
    """A time without a zone is one of the schedule's."""
    try:
        found = field.to_python(value)
    except ValidationError as error:
        words = _(
            "“%(value)s” is no day for “%(field)s”: write one such as 2030-12-31, or one that moves: today, today-7, "
            "today+30, week, month-1, year."
        )
        raise BadSelection(words % {"value": value, "field": name}) from error
    is_bare = isinstance(found, datetime) and timezone.is_naive(found)
    return timezone.make_aware(found, zone_of(moment)).isoformat(" ") if is_bare else value


def fixed_lookups(model: type[Model], lookups: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    return {key: fixed_value(model, key, value, moment) for key, value in lookups.items()}


def fixed_query(model: type[Model], query: QueryDict, moment: datetime) -> QueryDict:
    found = QueryDict(mutable=True)
    for key, values in query.lists():
        found.setlist(key, [fixed_value(model, key, value, moment) for value in values])
    return found


def moving(model: type[Model], query: QueryDict) -> QueryDict:
    """A list's address with what its filters of dates call Today, Past 7 days, This month or This year in words.

    The list writes the days of the day on which its page was made.
    """
    found = query.copy()
    for since in [key for key in query if key.endswith("__gte")]:
        until, field = f"{since.removesuffix('gte')}lt", dated(model, since)
        for first, end in LISTED if field else ():
            if [query.getlist(since), query.getlist(until)] == [[written(field, word)] for word in (first, end)]:
                found[since], found[until] = first, end
    return found


def written(field: Any, word: str) -> str:
    """As Django's filter of dates does, in the reader's time zone."""
    now = timezone.localtime()
    day = day_of(word, now.date())
    return str(datetime.combine(day, time(), now.tzinfo) if isinstance(field[0], DateTimeField) else day)
