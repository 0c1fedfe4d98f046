"""The project's own settings on private servers: nothing of the developer's is read or written.

`tests.run` gives DATABASE_URL and REDIS_URL; a plain `pytest` gives neither and gets a Redis and a SQLite file of its
own. Real workers that tests start inherit all of it through the environment.
"""

import atexit
import contextlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.utils import timezone

from tests import servers

_session = contextlib.ExitStack()
atexit.register(_session.close)

if "BACKOFFICE_TEST_DIR" not in os.environ:
    os.environ["BACKOFFICE_TEST_DIR"] = str(_session.enter_context(servers.temporary_directory()))
    # The folder of a running back office holds its database, its key and the address of its Redis.
    os.environ["BACKOFFICE_VAR"] = str(Path(os.environ["BACKOFFICE_TEST_DIR"]) / "var")
    os.environ.pop("EMAIL_URL", None)
DIRECTORY = Path(os.environ["BACKOFFICE_TEST_DIR"])
if not os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = _session.enter_context(servers.redis_server(DIRECTORY / "redis"))
# A person's shell may carry the switches of another installation.
for _name in (
    "DJANGO_DEBUG",
    "DJANGO_HTTPS",
    "DJANGO_ALLOWED_HOSTS",
    "DJANGO_BEHIND_PROXY",
    "BACKOFFICE_URL",
    "EMAIL_FROM",
):
    os.environ.pop(_name, None)

from backoffice.settings import *  # noqa: E402, F403
from backoffice.settings import (  # noqa: E402
    CELERY_BROKER_TRANSPORT_OPTIONS,
    DATABASES,
    INSTALLED_APPS,
    RUNS_LEASE_SECONDS,
)

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file and not memory: the workers that tests start are other processes.
    DATABASES["default"]["TEST"] = {"NAME": str(DIRECTORY / "test.sqlite3")}
# What takes half a minute by itself, sooner where a test of faults asks for it.
RUNS_LEASE_SECONDS = float(os.environ.get("TEST_LEASE_SECONDS", RUNS_LEASE_SECONDS))
if _seconds := int(os.environ.get("TEST_VISIBILITY_SECONDS", 0)):
    # And kombu looks each second, not every hundred.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "visibility_timeout": _seconds, "unacked_restore_interval": 1, "unacked_restore_throttle": 1,
    }  # fmt: skip
if _ahead := float(os.environ.get("TEST_CLOCK_AHEAD", 0)):
    # A machine whose clock is wrong by so many seconds: what its processes take for now.
    timezone.now = lambda: datetime.now(UTC) + timedelta(seconds=_ahead)
# Static files are looked for when they are asked for: each test's client would walk through all packages' folders.
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Record types as a team would write them, one of them with files, and one that misbehaves on demand.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.second", "tests.shipping", "tests.freight", "tests.probe"]
