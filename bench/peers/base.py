"""What the peers' Django projects have in common: the same record, a plain admin, one Redis, one database.

A peer is a package beside this module: `settings.py` says how its documentation sets it up, `WORKERS` holds the
commands that give it two worker processes, and `tasks.py` holds its task and `click`, what the admin action does.
"""

import os
import sys
from typing import Any

import dj_database_url

from backoffice.settings import database as database_of_this_project

PYTHON = sys.executable
REDIS_URL = os.environ["REDIS_URL"]  # without a database number


def default_database() -> dict[str, Any]:
    """What `startproject` writes, or the least a guide to PostgreSQL says."""
    return dict(dj_database_url.parse(os.environ["DATABASE_URL"]))


def tuned_database() -> dict[str, Any]:
    """The database settings of this project."""
    return database_of_this_project()


def django_command(*arguments: str) -> list[str]:
    return [PYTHON, "-m", "django", *arguments]


SECRET_KEY = "only-for-measuring"
ALLOWED_HOSTS = ["localhost"]
INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django_celery_beat",
    "django_celery_results",
    "backoffice.results",
    "backoffice.runs",
    "records",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "bench.peers.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
RUNS_LEASE_SECONDS = 30
RUNS_CONFIRM_ABOVE = 1_000
RUNS_REASON = ""
