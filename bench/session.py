"""One contender at work: its web process, its workers, and what the operating system says of them."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from backoffice.management.warden import Warden, send, wait_gone

from .environment import ROOT
from .stage import WARM_UP, Stage, connect

STALLED = 20.0  # seconds without a record done after which the rest counts as lost
POLL = 0.01


@dataclass(frozen=True)
class Contender:
    name: str
    label: str
    package: str
    databases: tuple[str, ...] = ("sqlite", "postgresql")

    @property
    def settings(self) -> str:
        return f"bench.peers.{self.package}.settings"


class Session:
    def __init__(self, stage: Stage, contender: Contender, url: str, **environment: str) -> None:
        self.stage, self.contender, self.url = stage, contender, url
        self.environment = stage.environment(url, contender.settings, **environment)
        self.warden = Warden()
        self.workers: list[subprocess.Popen[bytes]] = []
        self.logs = stage.directory / f"logs-{contender.name}"
        self.logs.mkdir(exist_ok=True)
        self.database = connect(url)
        self.web = self._start(
            [sys.executable, "-m", "bench.web"], "web", pipe=True, BACKOFFICE_PROCESS=self._web_kind()
        )
        self._read()

    def _web_kind(self) -> str:
        return "web" if self.contender.name.startswith("ours") else ""

    def _start(self, command: list[str], name: str, pipe: bool = False, **extra: str) -> subprocess.Popen[bytes]:
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment | extra, start_new_session=True, stderr=log,
                stdin=subprocess.PIPE if pipe else subprocess.DEVNULL, stdout=subprocess.PIPE if pipe else log,
            )  # fmt: skip
        self.warden.add(process.pid, 1)
        return process

    def start_workers(self) -> None:
        commands = self._ask_settings()
        self.workers = [self._start(command, f"worker-{number}") for number, command in enumerate(commands)]

    def _ask_settings(self) -> list[list[str]]:
        question = f"import json; from {self.contender.settings} import WORKERS; print(json.dumps(WORKERS))"
        answer = subprocess.run(
            [sys.executable, "-c", question], cwd=ROOT, env=self.environment, check=True, capture_output=True
        )
        commands: list[list[str]] = json.loads(answer.stdout)
        return commands

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        assert self.web.stdin
        self.web.stdin.write((json.dumps({"do": do, **order}) + "\n").encode())
        self.web.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self.web.stdout
        line = self.web.stdout.readline()
        if not line:
            raise RuntimeError(f"the web process ended: {(self.logs / 'web.log').read_text()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def one(self, sql: str) -> Any:
        return self.database.execute(sql).fetchone()[0]

    def left(self, first: int, last: int) -> int:
        return int(
            self.one(f"SELECT count(*) FROM records_yourmodel WHERE NOT processed AND id BETWEEN {first} AND {last}")
        )

    def left_in_run(self) -> int:
        """Of this project's newest run, from its counts: no count over a million rows while it works."""
        return int(self.one("SELECT total - succeeded - failed - revoked FROM runs_run ORDER BY id DESC LIMIT 1"))

    def wait(
        self, left: Callable[[], int], poll: float = POLL, watch: Callable[[int], None] | None = None
    ) -> tuple[float, int]:
        """Wait until nothing is left. Returns the moment of the last progress, and how many were given up on."""
        before, moment = left(), time.perf_counter()
        while before:
            time.sleep(poll)
            now = left()
            if now != before:
                before, moment = now, time.perf_counter()
            elif time.perf_counter() - moment > STALLED:
                break
            if watch:
                watch(now)
        return moment, before

    def warm_up(self, count: int = 250) -> None:
        """The workers are ready when they have done some hundred records, which also loads the tables of the checks."""
        self.ask("click", first=1, last=count)
        _moment, left = self.wait(lambda: self.left(1, count), poll=0.05)
        if left:
            tail = "".join(path.read_text(errors="replace")[-1500:] for path in self.logs.glob("worker*.log"))
            raise RuntimeError(f"{self.contender.name} did not do its first records: {tail}")

    def processes(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for worker in self.workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                main = psutil.Process(worker.pid)
                found += [main, *main.children(recursive=True)]
        return found

    def cpu(self) -> float:
        """Seconds of processor time of all worker processes, those that ended and were waited for included."""
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])
        return total

    def memory(self) -> dict[str, int]:
        """Proportional set size of all worker processes together, and the resident size of the biggest."""
        pss = biggest = 0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                full = process.memory_full_info()
                pss, biggest = pss + full.pss, max(biggest, full.rss)
        return {"pss": pss, "biggest": biggest}

    def close(self) -> None:
        self.database.close()
        for process in [self.web, *self.workers]:
            # Nothing of it is wanted any more.
            send(process.pid, signal.SIGKILL)
            wait_gone(process.pid, 5)
            process.wait(10)
            self.warden.remove(process.pid)
        for pipe in (self.web.stdin, self.web.stdout):
            if pipe:
                pipe.close()
        self.warden.close()


@contextlib.contextmanager
def session(
    stage: Stage, contender: Contender, vendor: str, records: int, *, workers: bool = True, **environment: str
) -> Iterator[Session]:
    """A fresh database of `records` records, an empty Redis, a web process and, warmed up, the workers."""
    stage.redis.flushall()
    with stage.database(vendor, records) as url:
        made = Session(stage, contender, url, **environment)
        try:
            if workers:
                made.start_workers()
                made.warm_up()
            yield made
        finally:
            made.close()


def first_of_many() -> int:
    """The id of the first record after those that are for warming up."""
    return WARM_UP + 1
