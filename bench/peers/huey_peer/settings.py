"""huey's "Django" page: RedisHuey, two process workers, results in Redis (its default; it writes no row per task)."""

from ..base import *  # noqa: F403
from ..base import INSTALLED_APPS, REDIS_URL, django_command, tuned_database

PEER = "bench.peers.huey_peer"
INSTALLED_APPS = [*INSTALLED_APPS, "huey.contrib.djhuey", PEER]
DATABASES = {"default": tuned_database()}
HUEY = {
    "huey_class": "huey.RedisHuey",
    "name": "bench",
    "immediate": False,
    "connection": {"url": f"{REDIS_URL}/0"},
    "consumer": {"workers": 2, "worker_type": "process"},
}
WORKERS = [django_command("run_huey")]
