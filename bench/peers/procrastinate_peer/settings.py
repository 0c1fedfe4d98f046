"""procrastinate's "Django" pages: jobs are rows in PostgreSQL; two worker processes, jobs deferred in one batch."""

from ..base import *  # noqa: F403
from ..base import INSTALLED_APPS, django_command, tuned_database

PEER = "bench.peers.procrastinate_peer"
INSTALLED_APPS = [*INSTALLED_APPS, "procrastinate.contrib.django", PEER]
DATABASES = {"default": tuned_database()}
WORKERS = [django_command("procrastinate", "worker")] * 2
