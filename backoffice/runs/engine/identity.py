"""Who this process is to the ledger."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from secrets import token_hex

from backoffice.results.values.text import storable

from .. import ids

# Set by a worker's main process before it forks; its children inherit all of it.
_node = storable(socket.gethostname())
_main_pid: int | None = None
_start = token_hex(4)
LONGEST = 170  # characters of a node's name: with what is added it fits the columns


def become(node: str) -> None:
    """Called once in a worker's main process."""
    global _node, _main_pid, _start
    _node, _main_pid, _start = storable(node), os.getpid(), token_hex(4)


def node_name() -> str:
    return _node


def worker_name() -> str:
    """A restarted worker is another one, though a restarted container has the same node name and process id."""
    return ids.worker_name(_node[:LONGEST], _main_pid or os.getpid(), _start)


def main_pid() -> int | None:
    return _main_pid


def in_main_process() -> bool:
    return _main_pid == os.getpid()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True


SOFT_LIMIT = {signal.SIGUSR1} if hasattr(signal, "SIGUSR1") else set()


def soft_limit_held_back() -> AbstractContextManager[None]:
    """Billiard announces the soft time limit by SIGUSR1; blocked, it is delivered when the block ends."""
    return _masked(signal.SIG_BLOCK)


def soft_limit_let_through() -> AbstractContextManager[None]:
    """For a body inside such a block."""
    return _masked(signal.SIG_UNBLOCK)


@contextmanager
def _masked(how: int) -> Iterator[None]:
    before = signal.pthread_sigmask(how, SOFT_LIMIT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
