"""What every test may ask for. Servers are chosen in tests.settings, before this file is read."""

import contextlib
import gc
import os
from collections.abc import Iterator

import pytest
from celery import current_app
from django.db import connection
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker

from backoffice.runs.models import Worker as Heartbeat
from backoffice.testing.fixtures import worker
from tests import conditional_updates, emptying
from tests.browser import page
from tests.properties import cases
from tests.servers import wait_until
from tests.workers import Worker, declare_queues, is_idle, running_worker

__all__ = ["worker"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Who asks for a worker or a stage waits for it. Of many cases of a test a share is enough where that is asked."""
    for item in items:
        if {"worker", "lasting_worker", "stage"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.processes)
    kept = set(cases(item.nodeid for item in items))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in kept])
    items[:] = [item for item in items if item.nodeid in kept]


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not walk through it again, and seldom through the rest."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """See tests.emptying."""
    with pytest.MonkeyPatch.context() as patches:
        with django_db_blocker.unblock():
            emptying.patch(patches)
        yield


@pytest.fixture(autouse=True)
def _empty_redis(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test finds another's messages or results."""
    yield
    if "django_db_setup" in request.fixturenames:
        current_app.backend.client.flushall()


@pytest.fixture(autouse=True)
def _no_update_asks_another_table() -> Iterator[None]:
    """See tests.conditional_updates."""
    with conditional_updates.watched() as found:
        yield
    assert not found


@pytest.fixture(scope="module")
def _worker_of_the_file(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[Worker, list[Heartbeat]]]:
    with contextlib.ExitStack() as stack:
        with django_db_blocker.unblock():
            started = stack.enter_context(running_worker())
            reported = list(Heartbeat.objects.all())
        yield started, reported


@pytest.fixture
def lasting_worker(transactional_db: None, _worker_of_the_file: tuple[Worker, list[Heartbeat]]) -> Iterator[Worker]:
    """The same for all tests of a file that only send it calls: coming and going takes longer than what they ask."""
    started, reported = _worker_of_the_file
    Heartbeat.objects.bulk_create(reported, ignore_conflicts=True)  # the test before emptied its table, and Redis
    declare_queues()
    yield started
    if started.process.poll() is None:
        wait_until(lambda: is_idle() and is_idle(), what="the worker idle")  # twice: a message may be between


@pytest.fixture
def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium. Without one the tests are skipped with a loud reason, and fail in CI."""
    if not page.is_there():
        reason = f"NO BROWSER at {page.CHROMIUM}: install Debian's chromium, or name one in CHROMIUM."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    # Playwright runs an event loop in this thread, which Django takes for an asynchronous context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with page.chromium() as started:
            yield started
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
