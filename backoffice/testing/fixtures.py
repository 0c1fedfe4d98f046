"""Fixtures of pytest. In your conftest.py: `pytest_plugins = ["backoffice.testing.fixtures"]`."""

from collections.abc import Iterator

import pytest

from .processes import Worker
from .processes import worker as running_worker


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Worker]:
    """A real worker with two processes, on the test's database and a Redis of its own."""
    with running_worker() as started:
        yield started
