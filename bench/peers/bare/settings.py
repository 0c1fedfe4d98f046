"""The limit: two processes in a loop, no queue, the same process() and the same three bulk writes."""

from ..base import PYTHON
from ..ours.settings import *  # noqa: F403

PEER = "bench.peers.bare"
ROOT_URLCONF = "bench.peers.urls"
WORKERS = [[PYTHON, "-m", "bench.peers.bare.loop", str(part)] for part in (0, 1)]
