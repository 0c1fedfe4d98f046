"""The usual way with this project's database settings."""

from ..base import tuned_database
from ..usual.settings import *  # noqa: F403

DATABASES = {"default": tuned_database()}
