"""This project called the plain Celery way, with django-celery-results' own backend in place of the mirrored one."""

from ..ours.settings import *  # noqa: F403

PEER = "bench.peers.ours_django_db"
ROOT_URLCONF = "bench.peers.urls"
CELERY_RESULT_BACKEND = "django-db"
