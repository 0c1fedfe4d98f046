"""Real worker processes for tests, on the Redis that the tests' own settings have started."""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from backoffice.testing import Worker, database_url, environment, worker

__all__ = ["ROOT", "Worker", "database_url", "environment", "running_worker"]
ROOT = Path(__file__).resolve().parent.parent


def running_worker(*arguments: str, **variables: str) -> AbstractContextManager[Worker]:
    redis = variables.pop("REDIS_URL", os.environ["REDIS_URL"])
    return worker(*arguments, redis=redis, folder=Path(os.environ["BACKOFFICE_TEST_DIR"]), **variables)
