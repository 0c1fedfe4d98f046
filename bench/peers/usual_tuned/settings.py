"""The usual way with this project's database settings."""

from bench.peers.base import tuned_database
from bench.peers.usual.settings import *  # noqa: F403

DATABASES = {"default": tuned_database()}
