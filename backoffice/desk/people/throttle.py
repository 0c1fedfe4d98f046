"""Guesses at passwords are slowed down: after a few wrong ones nobody is heard for a while, then for longer.

Counted in the database, hence for all web processes together. Nobody can lock another out for long: a wait is bounded,
what one address gets wrong about an account keeps the account closed to others for a minute at most, and a browser in
which the account's owner has signed in before is counted by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from unicodedata import normalize

from django.db import transaction
from django.utils import timezone

from ..models import SignInCount
from .address import household

FORGOTTEN = timedelta(days=1)  # after the last try that was heard


@dataclass(frozen=True, slots=True)
class Limit:
    free: int  # tries that are followed by no wait
    first: int  # seconds; each further try doubles it
    longest: int  # seconds

    def wait(self, tries: int) -> timedelta:
        doubled = min(tries - self.free, 20)
        return timedelta(seconds=min(self.first * 2**doubled, self.longest) if doubled >= 0 else 0)


LIMITS = {
    "address": Limit(20, 5, 900),  # an office may share one
    "guesser": Limit(5, 10, 900),  # an address and an account together
    "account": Limit(30, 1, 60),
    "device": Limit(5, 10, 900),  # an account and a browser known to it
}


class LockedOut(Exception):
    """This try was not heard, nor is any before `until`."""

    def __init__(self, kind: str, until: datetime) -> None:
        super().__init__(kind, until)
        self.kind, self.until = kind, until


@dataclass(frozen=True, slots=True)
class Try:
    """One that is heard, and counts as wrong until it turns out right."""

    keys: dict[str, str]  # by kind
    tries: dict[str, int] = field(default_factory=dict)  # by kind, this one included
    until: datetime | None = None  # when the next one will be heard, if that is not at once

    @property
    def number(self) -> int:
        """How many there were in a row for this account."""
        return self.tries.get("account") or self.tries.get("device", 1)

    @property
    def locks(self) -> bool:
        """The first of its kind that is followed by a wait."""
        return any(number == LIMITS[kind].free for kind, number in self.tries.items())


def begin(name: str, address: str, device: str = "") -> Try:
    """Before the password is looked at, so that a hundred at once are counted one by one. Raises LockedOut."""
    keys = dict(_keys(name, address, device))
    now = timezone.now()
    # First without a lock and without new rows: of a flood nearly all end here.
    _refuse_locked(keys, SignInCount.objects.filter(key__in=keys.values()), now)
    with transaction.atomic():
        fresh = [SignInCount(key=key, tries=0, until=now, last=now) for key in sorted(keys.values())]
        SignInCount.objects.bulk_create(fresh, ignore_conflicts=True)
        rows = list(SignInCount.objects.select_for_update().filter(key__in=keys.values()).order_by("key"))
        _refuse_locked(keys, rows, now)
        kinds = {key: kind for kind, key in keys.items()}
        for row in rows:
            row.count(LIMITS[kinds[row.key]].wait, now, forgotten=now - FORGOTTEN)
        SignInCount.objects.bulk_update(rows, ["tries", "until", "last"])
    until = max(row.until for row in rows)
    return Try(keys, {kinds[row.key]: row.tries for row in rows}, until if until > now else None)


def succeeded(attempt: Try) -> None:
    """The account begins anew; the address takes only this try back, or an account of one's own would free it."""
    own = [key for kind, key in attempt.keys.items() if kind != "address"]
    SignInCount.objects.filter(key__in=own).delete()
    if (key := attempt.keys.get("address")) and (tries := attempt.tries["address"]):
        row = SignInCount.objects.filter(key=key, tries=tries)
        row.update(tries=tries - 1, until=timezone.now())


def forget_old() -> None:
    SignInCount.objects.filter(last__lt=timezone.now() - FORGOTTEN).delete()


def account_key(name: str) -> str:
    return _key("account", normalize("NFKC", name).casefold())


def _keys(name: str, address: str, device: str) -> Iterable[tuple[str, str]]:
    account = account_key(name)
    if device:
        yield "device", _key("device", account, device)
        return
    yield "account", account
    if address:
        yield "address", _key("address", household(address))
        yield "guesser", _key("guesser", account, household(address))


def _key(*parts: str) -> str:
    """A digest: names may be of any length, and be passwords typed into the wrong field."""
    return sha256("\n".join(parts).encode(errors="backslashreplace")).hexdigest()


def _refuse_locked(keys: dict[str, str], rows: Iterable[SignInCount], now: datetime) -> None:
    kinds = {key: kind for kind, key in keys.items()}
    locked = [LockedOut(kinds[row.key], row.until) for row in rows if row.until > now]
    if locked:
        raise max(locked, key=lambda each: (each.kind == "address", each.until))
