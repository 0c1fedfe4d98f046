"""`manage.py up`: the whole back office on one machine, behind `make run`."""

import contextlib
import ctypes
import errno
import fcntl
import ipaddress
import os
import signal
import socket
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from backoffice import queues
from backoffice.desk.home import counting
from backoffice.front import static_files

from .. import first_user, programs
from ..console import Console
from ..redis_server import PrivateRedis, RedisUnavailable, check, socket_file
from ..supervisor import Failed, Stopped, Supervisor

PR_SET_PDEATHSIG = 1  # prctl(2)


class Command(BaseCommand):
    help = "Starts Redis, the workers, beat and the web server, and stops all of them on Ctrl-C."
    requires_system_checks = ()  # `migrate`, which is its first step, runs them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the demo records and logins")
        parser.add_argument("--host", default="127.0.0.1", help="address of the web server (default: %(default)s)")
        parser.add_argument("--port", type=_port, default=8000, help="0 takes any free one (default: %(default)s)")
        parser.add_argument(
            "--workers",
            type=_processes,
            default=programs.default_processes(),
            metavar="N",
            help="processes that work on records (default: one per core, here %(default)s)",
        )
        parser.add_argument(
            "--stop-with-parent", action="store_true", help="stop when the process that started this one is killed"
        )

    def handle(self, *args: Any, demo: bool, host: str, port: int, workers: int, **options: Any) -> None:
        if options["stop_with_parent"] and sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        try:
            # Before anything is started: a taken port, a second `up` and an unreachable Redis leave nothing behind.
            with _listener(host, port) as listener, _only_one(), _redis() as private:
                if demo:
                    _refuse_others(listener)
                    _refuse_database()
                self._run(listener, private, demo, workers, None if demo else first_user.ask())
        except Stopped:
            return
        except (Failed, RedisUnavailable) as error:
            raise CommandError(str(error)) from None

    def _run(
        self,
        listener: socket.socket,
        private: PrivateRedis | None,
        demo: bool,
        workers: int,
        first: tuple[str, str, first_user.Others] | None,
    ) -> None:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"]}
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # the web server complains where it is missing
        environment |= {"PYTHONUNBUFFERED": "1"} | ({"REDIS_URL": private.url} if private else {})
        environment.setdefault("BACKOFFICE_URL", programs.url(listener))
        console = Console((*programs.NAMES, *queues.own()))
        try:
            with Supervisor(console, environment, settings.BASE_DIR) as supervisor:
                if private:
                    supervisor.start(programs.redis_server(private))
                    supervisor.wait_ready()
                supervisor.run(programs.management("migrate", "--no-input", "--verbosity", "0"))
                if (fixtures := "demo" if demo else "setup_backoffice") in get_commands():
                    supervisor.run(programs.management(fixtures))
                if first:
                    first_user.create(*first)
                counting.count()  # beat comes to it half a minute later
                connection.close()
                supervisor.start(*programs.workers(workers))
                if not static_files.is_collected():
                    supervisor.run(programs.management("collectstatic", "--no-input", "--verbosity", "0"))
                    static_files.note_collected()
                supervisor.start(programs.web(listener))
                supervisor.start(programs.beat())
                supervisor.wait_ready()
                console.say(_welcome(programs.url(listener), demo))
                supervisor.watch()
        finally:
            console.close()


@contextlib.contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = programs.listen(host, port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise CommandError(
                f"Nothing can listen on {host} port {port}: {error.strerror}. See --host, --port."
            ) from None
        told = f"Port {port} on {host} is taken by another program. Stop that program, or choose another port: "
        raise CommandError(told + _as_typed(f"--port {port + 1 if port < 65_535 else 8001}")) from None
    with listener:
        yield listener


def _as_typed(options: str) -> str:
    """For somebody who has typed `make run`, that: make tells whom it starts."""
    return f'make run ARGS="{options}"' if "MAKELEVEL" in os.environ else f"manage.py up {options}"


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Two would share one database file and one Redis folder. The kernel lets go of the lock however we end."""
    path = settings.VAR / "up.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise CommandError(
                f"`manage.py up` already runs in this folder (pid {file.read().strip() or 'unknown'}). "
                "Stop it first, or give this one a folder of its own with BACKOFFICE_VAR=/path."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextlib.contextmanager
def _redis() -> Iterator[PrivateRedis | None]:
    if given := os.environ.get("REDIS_URL"):
        check(given)
        yield None
        return
    directory = settings.VAR / "redis"
    with socket_file(directory) as path:
        private = PrivateRedis.configure(directory, path)
        with private.announced():
            yield private


def _refuse_others(listener: socket.socket) -> None:
    """The demo's logins have a password that everybody knows."""
    host = listener.getsockname()[0]
    if not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        raise CommandError(
            f"--demo makes logins whose password everybody knows, and {host} can be reached from other machines. "
            "Leave out --host, or leave out --demo."
        )


def _refuse_database() -> None:
    """Before `migrate`, which would have changed by then what is refused."""
    try:
        if "demo" in get_commands():
            call_command("demo", check=True)
    except DatabaseError as error:
        raise CommandError(f"The database does not say who is in it: {error}. See DATABASE_URL.") from None
    finally:
        connection.close()  # the processes that are started must not inherit it


def _welcome(url: str, demo: bool) -> str:
    lines = ["", f"The back office is running:  {url}", ""]
    if first_user.is_missing():
        lines += [first_user.HOW, ""]
    elif demo and settings.AUTH_USER_MODEL == "auth.User":
        lines += [
            "Log in as  operator    selects records and processes them",
            "           scheduler   decides what runs when",
            "           auditor     reads what happened",
            "           admin       may do everything",
            "Password   backoffice  (for all four)",
            "",
        ]
    lines += ["Ctrl-C stops everything.", ""]
    width = max(map(len, lines))
    edge = f"+{'-' * (width + 4)}+"
    return "\n".join(["", edge, *(f"|  {line:<{width}}  |" for line in lines), edge, ""])


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise ArgumentTypeError(f"{text!r} is not a port number from 0 to 65535")
    return int(text)


def _processes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000:
        raise ArgumentTypeError(f"{text!r} is not a number of processes from 1 to 1000")
    return int(text)
