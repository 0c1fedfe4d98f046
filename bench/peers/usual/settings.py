"""Celery's "First steps with Django" and django-celery-results' "Getting started", on default database settings."""

from ..base import *  # noqa: F403
from ..base import INSTALLED_APPS, PYTHON, REDIS_URL, default_database

PEER = "bench.peers.usual"
INSTALLED_APPS = [*INSTALLED_APPS, PEER]
DATABASES = {"default": default_database()}
CELERY_BROKER_URL = f"{REDIS_URL}/0"
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_TASK_TRACK_STARTED = True
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_TIMEZONE = "UTC"
WORKERS = [[PYTHON, "-m", "celery", "-A", "bench.peers.usual.tasks", "worker", "-l", "info", "-c", "2"]]
