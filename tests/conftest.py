"""What every test may ask for. Servers are chosen in tests.settings, before this file is read."""

from collections.abc import Iterator

import pytest
from celery import current_app
from django.db import connection

from tests.workers import Worker, running_worker


@pytest.fixture(autouse=True)
def _empty_redis(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test finds another's messages or results."""
    yield
    if "django_db_setup" in request.fixturenames:
        current_app.backend.client.flushall()


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Worker]:
    """A real worker with two processes, on the test's own database and Redis."""
    with running_worker() as started:
        yield started


@pytest.fixture
def is_sqlite() -> bool:
    return connection.vendor == "sqlite"
