"""The project without change sets: what it costs to keep what was there before."""

from ..ours.settings import *  # noqa: F403
from ..ours.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench.peers.ours_unkept"]
