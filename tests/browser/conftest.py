"""A browser on the live site, with a real worker behind it."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from tests.workers import Worker, running_worker


@pytest.fixture
def site(transactional_db: None, live_server: Any) -> str:
    """The demo, as `make run` shows it."""
    call_command("demo", stdout=io.StringIO())
    return str(live_server.url)


@pytest.fixture
def worker(site: str) -> Iterator[Worker]:
    with running_worker() as started:
        yield started
