"""django-q2's "Installation" and "Configuration", Redis broker, two workers; a Success row per task is its default."""

from urllib.parse import urlsplit

from ..base import *  # noqa: F403
from ..base import INSTALLED_APPS, REDIS_URL, django_command, tuned_database

PEER = "bench.peers.django_q2"
INSTALLED_APPS = [*INSTALLED_APPS, "django_q", PEER]
DATABASES = {"default": tuned_database()}
Q_CLUSTER = {
    "name": "bench",
    "workers": 2,
    "timeout": 60,
    "retry": 120,
    "save_limit": 0,  # keeps every result, as an audit needs
    "redis": f"{REDIS_URL}/0" if urlsplit(REDIS_URL).password else {"host": "127.0.0.1", "db": 0},
}
WORKERS = [django_command("qcluster")]
