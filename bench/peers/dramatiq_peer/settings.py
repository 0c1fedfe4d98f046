"""django-dramatiq's README: Redis broker, its list of middleware (a Task row per message), two processes."""

from ..base import *  # noqa: F403
from ..base import INSTALLED_APPS, REDIS_URL, django_command, tuned_database

PEER = "bench.peers.dramatiq_peer"
INSTALLED_APPS = ["django_dramatiq", *INSTALLED_APPS, PEER]
DATABASES = {"default": tuned_database()}
DRAMATIQ_BROKER = {
    "BROKER": "dramatiq.brokers.redis.RedisBroker",
    "OPTIONS": {"url": f"{REDIS_URL}/0"},
    "MIDDLEWARE": [
        "dramatiq.middleware.AgeLimit",
        "dramatiq.middleware.TimeLimit",
        "dramatiq.middleware.Callbacks",
        "dramatiq.middleware.Retries",
        "django_dramatiq.middleware.DbConnectionsMiddleware",
        "django_dramatiq.middleware.AdminMiddleware",
    ],
}
DRAMATIQ_TASKS_DATABASE = "default"
DRAMATIQ_AUTODISCOVER_MODULES = ["tasks"]
WORKERS = [django_command("rundramatiq", "--processes", "2", "--threads", "1")]
