"""The project as it is, with a slow record task beside its own."""

import sys

from backoffice.settings import *  # noqa: F403
from backoffice.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench.peers.ours"]
WORKERS = [[sys.executable, "-m", "celery", "-A", "backoffice", "worker", "-l", "info", "-c", "2"]]
