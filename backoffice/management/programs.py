"""What `manage.py up` runs: each program's command, and how one sees that it is ready."""

import http.client
import os
import socket
import sys

from backoffice import queues

from .redis_server import PrivateRedis, answers
from .supervisor import Program

PYTHON = sys.executable
CELERY = (PYTHON, "-m", "celery", "-A", "backoffice", "--quiet")  # without its banner
WORKER_ENVIRONMENT = {
    # Read when Celery is imported: SIGTERM then hands a long task back to the queue instead of waiting for its end.
    "REMAP_SIGTERM": "SIGQUIT",
    # In a container one is root, and Celery says at length, for each worker, that one should not be.
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
}
NAMES = ("redis", "setup", "worker", "tasks", "control", "beat", "web")


def redis_server(server: PrivateRedis) -> Program:
    return Program("redis", server.command, answers=lambda: answers(server.url), ready_within=20, quiet=True)


def management(*arguments: str) -> Program:
    return Program("setup", (PYTHON, "manage.py", *arguments))


def workers(processes: int) -> tuple[Program, ...]:
    """One for the records, one for all other tasks, one that stays free for sweep, dispatch and schedules, and one for
    each queue of a team's own."""
    return (
        _worker("worker", queues.RECORDS, processes),
        _worker("tasks", queues.TASKS, 1),
        _worker("control", queues.CONTROL, 1),
        *(_worker(name, name, 1) for name in queues.own()),
    )


def beat() -> Program:
    command = (*CELERY, "beat", "-l", "info", "--pidfile=")
    return Program("beat", command, ready_line="beat: Starting...", stop_within=5)


def web(listener: socket.socket) -> Program:
    """The socket is bound beforehand and inherited: no other program can take the port meanwhile."""
    command = (
        *(PYTHON, "-m", "gunicorn", "backoffice.wsgi:application"),
        *("--config", "python:backoffice.front.config"),
        *("--bind", f"fd://{listener.fileno()}", "--graceful-timeout", "5"),
    )
    return Program(
        "web",
        command,
        answers=lambda: _web_answers(listener),
        pass_fds=(listener.fileno(),),
        stop_within=8,
    )


def listen(host: str, port: int) -> socket.socket:
    """Raises OSError when the port is taken, the host unknown or the right missing."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Bound is not enough: until somebody listens a second socket may bind the same port with SO_REUSEADDR.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def url(listener: socket.socket) -> str:
    """The address to type: 0.0.0.0 and :: mean every address of this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def default_processes() -> int:
    """One per core this process may use; more than eight would only queue up at the database."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    return max(2, min(8, cores))


def _worker(name: str, queue: str, processes: int) -> Program:
    command = (*CELERY, "worker", "-l", "info", "-n", f"{queue}@%h", "-Q", queue, "-c", str(processes))
    return Program(name, command, WORKER_ENVIRONMENT, ready_line=" ready.", stop_within=20)


def _web_answers(listener: socket.socket) -> bool:
    host, port = url(listener)[7:-1].rsplit(":", 1)
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=1)
    try:
        connection.request("GET", "/healthz")
        # Any answer but a failure: with DJANGO_ALLOWED_HOSTS or DJANGO_HTTPS set, ours is refused or redirected.
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
