"""A browser on the live site, with a real worker behind it."""

import io
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser

from tests.browser import page
from tests.workers import Worker, running_worker


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not page.is_there():
        reason = f"NO BROWSER at {page.CHROMIUM}: install Debian's chromium, or name one in CHROMIUM."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    # Playwright's own loop runs in this thread; Django would take the test for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with page.chromium() as started:
        yield started


@pytest.fixture
def site(transactional_db: None, live_server: Any) -> str:
    """The demo, as `make run` shows it."""
    call_command("demo", stdout=io.StringIO())
    return str(live_server.url)


@pytest.fixture
def worker(site: str) -> Iterator[Worker]:
    with running_worker() as started:
        yield started
