from datetime import timedelta

import pytest

from tests.schedules.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A Monday in January, noon; the database's own clock says so too."""
    found = Clock("2026-01-05 12:00:00")
    monkeypatch.setattr("django.utils.timezone.now", found)
    monkeypatch.setattr("backoffice.runs.database.clock.now", lambda ahead=timedelta(0): found() + ahead)
    return found
