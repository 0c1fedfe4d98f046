"""A bounded question to Redis: are you there, do you take writes, how long are the queues? Never raises or waits."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.utils.translation import gettext as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from backoffice import queues, redis_url
from backoffice.results import spool
from backoffice.runs.engine import queues as lists

TIMEOUT = 0.5  # seconds, for connecting and for each answer
PATIENCE = 0.8  # seconds for everything together, which also bounds the look-up of a host's name
FRESH = 2.0  # seconds during which a process asks no second time
GLANCE = 1_000  # keys: the broker's database holds few others than its lists
OTHERS = 20  # queues that are not ours, of which more are not counted
TEMPORARY = ".pidbox"  # where the answers to `celery inspect` wait for who asked
NOBODYS_KEY = "backoffice:probe"  # never there, so that setting it "if it exists" changes nothing

_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="probe")
_lock = threading.Lock()
_latest: tuple[float, "Probe"] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    address: str
    error: str = ""
    refuses_writes: bool = False  # it answers, and its data can be read
    milliseconds: float = 0.0
    depths: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)  # queues that are not ours, a misspelt one say
    aside: int = 0  # outcomes that the database refuses

    @property
    def ok(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class Probe:
    broker: Answer
    results: Answer


def probe() -> Probe:
    """The answer of this moment, at most FRESH seconds old. Threads that ask at once wait for one question."""
    global _latest
    with _lock:
        if _latest is None or time.monotonic() - _latest[0] > FRESH:
            answer = ask_both()
            _latest = time.monotonic(), answer
        return _latest[1]


def ask_both() -> Probe:
    broker = _pool.submit(ask, settings.CELERY_BROKER_URL, queues.declared())
    results = _pool.submit(ask, settings.CELERY_RESULT_BACKEND)
    deadline = time.monotonic() + PATIENCE
    return Probe(
        wait(broker, settings.CELERY_BROKER_URL, deadline), wait(results, settings.CELERY_RESULT_BACKEND, deadline)
    )


def wait(future: Future[Answer], url: str, deadline: float) -> Answer:
    try:
        return future.result(timeout=max(0.0, deadline - time.monotonic()))
    except Late:
        future.cancel()
        return Answer(public_address(url), _("it does not answer"))


def ask(url: str, names: tuple[str, ...] = ()) -> Answer:
    address, started = public_address(url), time.monotonic()
    try:
        # The library's own default waits seconds between three retries.
        client = redis.Redis.from_url(
            redis_url.for_client(url),
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        with client, client.pipeline(transaction=False) as pipeline:
            lists.ask(pipeline, names)
            # A server that is full, cannot save, or follows another one refuses this too, before it looks at the key.
            pipeline.set(NOBODYS_KEY, "", xx=True)
            if names:
                pipeline.scan(0, count=GLANCE, _type="list")
            else:
                spool.ask_aside(pipeline)
            answers = pipeline.execute(raise_on_error=False)
            depths = lists.counted(names, answers)
            others = depths_of_others(pipeline, answers[-1]) if names else {}
    except (redis.RedisError, OSError, ValueError) as error:
        return Answer(address, in_words(error))
    # A user who may write no key but Celery's own is no fault.
    written, last = answers[-2:]
    refused = isinstance(written, Exception) and not isinstance(written, redis.exceptions.NoPermissionError)
    refusal = in_words(written) if refused else ""
    aside = last if isinstance(last, int) else 0
    return Answer(address, refusal, bool(refusal), (time.monotonic() - started) * 1000, depths, others, aside)


def depths_of_others(pipeline: Any, glance: Any) -> dict[str, int]:
    """A second question, only where a glance over the keys met lists of queues that are not ours."""
    if isinstance(glance, Exception):
        return {}  # a user who may not look around
    found = {lists.queue_of(key) for key in glance[1]} - set(queues.declared())
    names = sorted(name for name in found if not name.endswith(TEMPORARY))[:OTHERS]
    if not names:
        return {}
    lists.ask(pipeline, names)
    answers = pipeline.execute(raise_on_error=False)
    return lists.counted(names, [0 if isinstance(answer, Exception) else answer for answer in answers])


def in_words(error: Exception) -> str:
    """Never the library's own message: it may quote the URL, and with it the password."""
    if isinstance(error, redis.AuthenticationError):
        return _("it refuses the password")
    if isinstance(error, redis.OutOfMemoryError):
        return _("it is full and takes nothing new")
    if isinstance(error, redis.ReadOnlyError):
        return _("it only follows another Redis and takes nothing new")
    if isinstance(error, redis.ResponseError) and str(error).startswith("MISCONF"):
        return _("it cannot save to its disk and takes nothing new")
    if isinstance(error, redis.TimeoutError):
        return _("it does not answer")
    if isinstance(error, redis.ConnectionError | OSError):
        return _("nothing listens there")
    return _("it answers with an error (%(kind)s)") % {"kind": type(error).__name__}


def public_address(url: str) -> str:
    """Host, port and database of a URL, or its socket, without user and password."""
    parts = urlsplit(url)
    if parts.hostname:
        return f"{parts.hostname}:{parts.port or 6379}{parts.path}"
    return parts.path.removeprefix(f"{settings.BASE_DIR}/") or "?"


def forget() -> None:
    """Ask anew next time. For commands and tests."""
    global _latest
    with _lock:
        _latest = None
