"""django-rq's README: one queue, two `rqworker` processes that fork for every job (its default)."""

from ..base import *  # noqa: F403
from ..base import INSTALLED_APPS, REDIS_URL, django_command, tuned_database

PEER = "bench.peers.django_rq_peer"
INSTALLED_APPS = [*INSTALLED_APPS, "django_rq", PEER]
DATABASES = {"default": tuned_database()}
RQ_QUEUES = {"default": {"URL": f"{REDIS_URL}/0", "DEFAULT_TIMEOUT": 360}}
WORKERS = [django_command("rqworker", "default")] * 2
