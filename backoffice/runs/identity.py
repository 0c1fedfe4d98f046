"""Who this process is to the ledger."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# Set by a worker's main process before it forks; its children inherit both.
_node = socket.gethostname()
_main_pid: int | None = None


def become(node: str) -> None:
    """Called once in a worker's main process."""
    global _node, _main_pid
    _node, _main_pid = node, os.getpid()


def node_name() -> str:
    return _node


def worker_name() -> str:
    """Node name and main process id: a restarted worker is another one."""
    return f"{_node}/{_main_pid or os.getpid()}"


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


@contextmanager
def soft_limit_held_back() -> Iterator[None]:
    """Billiard announces the soft time limit by SIGUSR1; blocked, it is delivered when the block ends."""
    signals = {signal.SIGUSR1} if hasattr(signal, "SIGUSR1") else set()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
