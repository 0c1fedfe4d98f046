"""A clock that tests set."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone


class Clock:
    """django.utils.timezone.now as the test says."""

    def __init__(self, at: str) -> None:
        self.at = datetime.fromisoformat(at).replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, **delta: float) -> None:
        self.at += timedelta(**delta)

    def set(self, at: str) -> None:
        self.at = datetime.fromisoformat(at).replace(tzinfo=UTC)


def in_hours(hours: float) -> str:
    return f"{timezone.localtime() + timedelta(hours=hours):%Y-%m-%dT%H:%M}"
