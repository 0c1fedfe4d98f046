"""Every table that any of the peers wants, for the database that each measurement gets a copy of."""

from .base import REDIS_URL
from .ours.settings import *  # noqa: F403
from .ours.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = ["django_dramatiq", *INSTALLED_APPS, "django_q"]
DRAMATIQ_BROKER = {"BROKER": "dramatiq.brokers.stub.StubBroker", "OPTIONS": {}, "MIDDLEWARE": []}
Q_CLUSTER = {"name": "bench", "timeout": 60, "retry": 120, "redis": f"{REDIS_URL}/0"}
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    INSTALLED_APPS = [*INSTALLED_APPS, "procrastinate.contrib.django"]
