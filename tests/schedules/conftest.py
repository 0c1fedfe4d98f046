import pytest

from tests.schedules.helpers import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A Monday in January, noon."""
    found = Clock("2026-01-05 12:00:00")
    monkeypatch.setattr("django.utils.timezone.now", found)
    return found
