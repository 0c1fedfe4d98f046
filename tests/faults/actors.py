"""A private back office that tests break: Redis, workers, beat and web as real processes with real signals.

The test's own process only watches: the database, and that Redis through redis-py.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

import redis
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from backoffice.management import warden
from backoffice.management.redis_server import PrivateRedis, answers, free_port
from tests.servers import wait_until
from tests.workers import ROOT, environment

CSRF = "a" * 32  # cookie and form field only have to agree
CELERY = (sys.executable, "-m", "celery", "-A", "backoffice")


@dataclass
class Actor:
    """A process that leads a session of its own, so that a signal to the session reaches its children too."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def lines(self) -> str:
        return self.log.read_text(errors="replace")

    def says(self, text: str) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended ({self.process.returncode}): {self.lines[-3000:]}")
        return text in self.lines

    def children(self) -> list[int]:
        return [pid for pid in warden.members(self.pid) if pid != self.pid]

    def kill(self) -> None:
        """As a power cut would: the process and all of its children at once."""
        warden.send(self.pid, signal.SIGKILL)
        self.process.wait(10)

    def freeze(self) -> None:
        warden.send(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        warden.send(self.pid, signal.SIGCONT)

    def stop(self, seconds: float = 30) -> float:
        """SIGTERM, as systemd does. Returns the seconds it took to leave; more than `seconds` is an error."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(seconds)
        return time.monotonic() - began

    def end(self) -> None:
        """However it is left by a test: nothing of it stays."""
        warden.send(self.pid, signal.SIGKILL)
        self.process.wait(10)


@dataclass
class Answer:
    status: int
    text: str
    seconds: float
    location: str


@dataclass
class Web(Actor):
    port: int = 0
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, **fields: object) -> Answer:
        body = urlencode({"csrfmiddlewaretoken": CSRF, **fields}, doseq=True)
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def click(self, *picked: int, confirmed: bool = True, **fields: object) -> Answer:
        """Select probes on their list, or all of them, press the action and confirm it."""
        chosen: dict[str, object] = {"_selected_action": picked or [0], "select_across": "0" if picked else "1"}
        if confirmed:
            chosen["confirmed"] = "1"
        return self.post("/admin/probe/probe/", action="poke_selected", index="0", **{**chosen, **fields})

    def memory(self) -> int:
        """Bytes resident in the process that answers, at its highest so far."""
        (worker,) = self.children()
        lines = Path(f"/proc/{worker}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def _ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Answer:
        began = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Cookie": cookies, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
        for header in answer.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: cookie.coded_value for name, cookie in SimpleCookie(header).items()}
        return Answer(answer.status, text, time.monotonic() - began, answer.getheader("Location") or "")


class Stage(contextlib.ExitStack):
    """Every process of one test, on a Redis of its own. All of them are ended when it is left."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.settings: dict[str, str] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        self._warden = warden.Warden()
        self.callback(self._warden.close)
        self._redis = PrivateRedis.configure(self.directory / "redis")
        self.url = self._redis.url
        self.start_redis()
        return self

    # --- Redis, always on the same port

    def start_redis(self) -> Actor:
        self.redis = self._begin(Actor, "redis", self._redis.command)
        wait_until(lambda: self.redis.says("") and answers(self.url), what="Redis ready")
        return self.redis

    @property
    def client(self) -> "redis.Redis":
        """Database 0, where the messages are."""
        return redis.Redis.from_url(self.url, socket_timeout=5, protocol=2)

    def waiting(self, queue: str = "records") -> int:
        return int(self.client.llen(queue))

    def somebody_waits_in_brpop(self) -> bool:
        """And has begun to in this second."""
        return any(
            client["cmd"] == "brpop" and "b" in client["flags"] and client["idle"] == "0"
            for client in self.client.client_list()
        )

    # --- the back office's own processes

    def worker(self, *arguments: str, processes: int = 2, wait: bool = True, **extra: str) -> Actor:
        name = f"w{len(list(self.directory.glob('worker-*')))}@%h"
        command = (*CELERY, "worker", "-l", "info", "-c", str(processes), "-n", name, *arguments)
        actor = self._begin(Actor, "worker", command, **extra)
        if wait:
            wait_until(lambda: actor.says(" ready."), 60, what=f"worker ready ({actor.log})")
        return actor

    def contained_worker(self, *arguments: str, **extra: str) -> Actor:
        """As a container that is always started anew: one name, and process id 1."""
        command = ("unshare", "--pid", "--fork", "--kill-child", *CELERY, "worker", "-l", "info", "-c", "1")
        actor = self._begin(Actor, "contained", (*command, "-n", "same@host", *arguments), **extra)
        wait_until(lambda: actor.says(" ready."), 60, what=f"worker ready ({actor.log})")
        return actor

    def control(self) -> Actor:
        """A worker that stays free for the sweep."""
        return self.worker("-Q", "control", processes=1)

    def beat(self) -> Actor:
        call_command("setup_backoffice", verbosity=0, stdout=open(os.devnull, "w"))  # noqa: SIM115
        return self._begin(Actor, "beat", (*CELERY, "beat", "-l", "info", "--pidfile="))

    def web(self, application: str = "backoffice.wsgi:application", **extra: str) -> Web:
        """One gunicorn process with threads, and a session of a superuser."""
        port = free_port()
        command = (sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--no-control-socket")
        command += ("--worker-class", "gthread", "--threads", "4", "--timeout", "120", "--graceful-timeout", "5")
        web = self._begin(Web, "web", command, **extra)
        web.port, web.cookies = port, {"sessionid": session(), "csrftoken": CSRF}
        wait_until(lambda: web.says("") and _listens(web), 60, what=f"web ready ({web.log})")
        web.get("/admin/probe/probe/")  # the first request imports what the others find
        return web

    def script(self, name: str, *arguments: str, **extra: str) -> Actor:
        """A program of this folder, in a process of its own."""
        return self._begin(Actor, name, (sys.executable, "-m", f"tests.faults.{name}", *arguments), **extra)

    def click(self, *arguments: str, dies: bool = False) -> None:
        """A start of "poke" over all probes by another process, waited for."""
        actor = self.script("click", *arguments)
        assert actor.process.wait(60) == (-signal.SIGKILL if dies else 0), actor.lines

    def _begin[A: Actor](self, kind: type[A], name: str, command: tuple[str, ...], **extra: str) -> A:
        log = self.directory / f"{name}-{os.urandom(4).hex()}.log"
        variables = environment(REDIS_URL=self.url, **{**self.settings, **extra})
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self._warden.add(process.pid, 5)
        actor = kind(name, process, log)
        self.callback(self._warden.remove, process.pid)
        self.callback(actor.end)
        return actor


def session() -> str:
    """A superuser's session, made in the database and not by typing a password."""
    client = Client()
    client.force_login(User.objects.get_or_create(username="admin", is_staff=True, is_superuser=True)[0])
    return str(client.cookies["sessionid"].value)


def _listens(web: Web) -> bool:
    with contextlib.suppress(OSError):
        return web.get("/healthz").status == 200
    return False


@contextlib.contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """The action is done whatever happens in the block."""
    try:
        yield
    finally:
        action()
