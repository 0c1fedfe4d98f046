from collections.abc import Iterator

import pytest
from django.core.cache import cache

from backoffice.desk import probe


@pytest.fixture(autouse=True)
def _ask_redis_anew() -> Iterator[None]:
    """What one test heard from Redis, and was refused, is no news for the next."""
    probe.forget()
    cache.clear()
    yield
    probe.forget()
