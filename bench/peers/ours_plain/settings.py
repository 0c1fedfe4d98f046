"""This project's record task called the plain Celery way: one message per record, mirrored result backend."""

from ..ours.settings import *  # noqa: F403

PEER = "bench.peers.ours_plain"
ROOT_URLCONF = "bench.peers.urls"
