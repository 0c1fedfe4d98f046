from collections.abc import Iterator

import pytest

from backoffice.desk import probe


@pytest.fixture(autouse=True)
def _ask_redis_anew() -> Iterator[None]:
    """What one test heard from Redis is no news for the next."""
    probe.forget()
    yield
    probe.forget()
