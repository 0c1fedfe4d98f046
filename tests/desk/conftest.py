from collections.abc import Iterator

import pytest
from django.core.cache import cache

from backoffice.desk.health import redis_probe


@pytest.fixture(autouse=True)
def _ask_redis_anew() -> Iterator[None]:
    """What one test heard from Redis, and was refused, is no news for the next."""
    redis_probe.forget()
    cache.clear()
    yield
    redis_probe.forget()
