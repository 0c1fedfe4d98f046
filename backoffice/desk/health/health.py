"""Is everything there that the work needs? Answers in words, each with what to do, for the desk and for `doctor`."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import DurationField, ExpressionWrapper, F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.queues import CONTROL, START_WORKER, declared, start_for
from backoffice.results import spool
from backoffice.runs.database import clock
from backoffice.runs.engine import heartbeats
from backoffice.runs.models import Worker

from . import sweeping
from .redis_probe import Answer, probe

SKEW = 5  # seconds
BEHIND = {CONTROL: 50}  # messages; more than that, or than MANY elsewhere, and somebody is missing
MANY = 10_000

START_BEAT = "celery -A backoffice beat -l info"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    summary: str
    advice: str = ""


def checks() -> list[Check]:
    """What the desk shows: cheap, bounded, one query."""
    database, processes = look_at_database()
    redis = probe()
    return [
        broker(redis.broker),
        result_backend(redis.results),
        database,
        workers(processes),
        beat(processes),
        *([swept(processes)] if database.ok else []),
        clocks(processes),
        queue_depths(redis.broker, processes if database.ok else None),
        *([set_aside(redis.results)] if redis.results.milliseconds else []),
    ]


def broker(answer: Answer) -> Check:
    return redis_check(_("Broker"), answer, _("What staff start meanwhile is kept and runs when Redis takes it."))


def result_backend(answer: Answer) -> Check:
    return redis_check(_("Result backend"), answer, _("Outcomes are still written to the database."))


def redis_check(name: str, answer: Answer, meanwhile: str) -> Check:
    if answer.ok:
        return Check(name, True, answered(answer))
    told = {"address": answer.address, "error": answer.error}
    advice = _("Start Redis, or correct REDIS_URL.")
    if answer.refuses_writes:
        advice = _("Raise its maxmemory, free its disk, or let REDIS_URL name the server that takes writes.")
    return Check(name, False, _("Redis at %(address)s: %(error)s.") % told, f"{advice} {meanwhile}")


def answered(answer: Answer) -> str:
    return _("Redis at %(address)s answered in %(ms)d ms.") % {"address": answer.address, "ms": answer.milliseconds}


def look_at_database() -> tuple[Check, list[Worker]]:
    """One query does for two: that the database answers, and who reported lately."""
    started = time.monotonic()
    try:
        ago = ExpressionWrapper(clock.now() - F("seen_at"), output_field=DurationField())
        processes: list[Any] = list(heartbeats.living().annotate(ago=ago).order_by("name")[:500])
    except DatabaseError as error:
        kind = {"kind": type(error).__name__}
        advice = _("Start the database, or correct DATABASE_URL; after an upgrade run: manage.py migrate")
        return Check(_("Database"), False, _("%(kind)s when asked.") % kind, advice), []
    ms = (time.monotonic() - started) * 1000
    facts = {"database": connection.vendor, "ms": ms}
    return Check(_("Database"), True, _("%(database)s answered in %(ms)d ms.") % facts), processes


def workers(processes: Iterable[Worker]) -> Check:
    """Each queue needs somebody who listens."""
    name, serving = _("Workers"), processes_by_queue(processes)
    queues = declared()
    missing = [queue for queue in queues if not serving[queue]]
    if missing == list(queues):
        return Check(name, False, _("No worker reported within 30 seconds."), _("Start one: %s") % START_WORKER)
    if missing:
        told = ngettext("No worker serves the queue %s.", "No worker serves the queues %s.", len(missing))
        return Check(name, False, told % in_quotes(missing), _("Start one that does: %s") % start_for(missing))
    parts = [
        ngettext("%(queue)s: %(n)d process", "%(queue)s: %(n)d processes", serving[queue])
        % {"queue": queue, "n": serving[queue]}
        for queue in queues
    ]
    return Check(name, True, "; ".join(parts) + ".")


def in_quotes(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def processes_by_queue(processes: Iterable[Worker]) -> Counter[str]:
    serving: Counter[str] = Counter()
    for process in processes:
        if process.kind == Worker.Kind.WORKER:
            serving.update(dict.fromkeys(process.serves, process.concurrency))
    return serving


def beat(processes: Iterable[Any]) -> Check:
    alive = [process for process in processes if process.kind == Worker.Kind.BEAT]
    if not alive:
        advice = _("Start it: %s. Until then no schedule fires, and what is stuck is not rescued.") % START_BEAT
        return Check(_("Beat"), False, _("Not seen within 30 seconds."), advice)
    seconds = max(0, int(min(process.ago for process in alive).total_seconds()))
    return Check(_("Beat"), True, ngettext("Seen %d second ago.", "Seen %d seconds ago.", seconds) % seconds)


def swept(processes: Iterable[Worker]) -> Check:
    ok, summary, advice = sweeping.told(processes, timezone.now())
    return Check(_("Sweep"), ok, summary, "" if ok else advice)


def clocks(processes: Iterable[Worker]) -> Check:
    """Due times, retries and what pages show follow each machine's own clock; leases follow the database's."""
    name, wrong = _("Clocks"), [process for process in processes if abs(process.seconds_ahead) > SKEW]
    if not wrong:
        return Check(name, True, _("Workers and beat agree with the database within %d seconds.") % SKEW)
    advice = _("Set the clock of its machine, by NTP say: runs due at a time and retries start that much off.")
    return Check(name, False, "; ".join(map(skew_in_words, wrong)) + ".", advice)


def skew_in_words(process: Worker) -> str:
    told = {"name": process, "n": round(abs(process.seconds_ahead))}
    if process.seconds_ahead > 0:
        return _("%(name)s is %(n)d s ahead of the database") % told
    return _("%(name)s is %(n)d s behind the database") % told


def queue_depths(answer: Answer, processes: Iterable[Worker] | None) -> Check:
    """Also of queues that are not ours: a call to a misspelt one waits there for ever."""
    name = _("Queues")
    if not answer.depths:
        return Check(name, False, _("Unknown while the broker does not answer."), _("See the broker."))
    depths = answer.depths | answer.others
    behind = [queue for queue in depths if depths[queue] > BEHIND.get(queue, MANY)]
    serving = None if processes is None else processes_by_queue(processes)
    unread = [queue for queue, length in answer.others.items() if length and serving is not None and not serving[queue]]
    parts = [_("%(queue)s: %(n)d waiting") % {"queue": queue, "n": length} for queue, length in depths.items()]
    advice = [_("The workers cannot keep up. Start another one: %s") % start_for(behind)] if behind else []
    if unread:
        parts.append(_("nobody reads %s") % in_quotes(unread))
        told = {"queues": in_quotes(unread), "command": start_for(unread)}
        correct = _("Correct the queue's name where the task is called, or start a worker for %(queues)s: %(command)s")
        advice = [correct % told, *advice]
    return Check(name, not advice, "; ".join(parts) + ".", " ".join(advice))


def set_aside(answer: Answer) -> Check:
    """Outcomes that waited in Redis for the database, and are no rows or none that it takes."""
    name = _("Set aside")
    if not answer.aside:
        return Check(name, True, _("No outcome is set aside."))
    summary = ngettext(
        "The database refuses %(n)d outcome. It is kept in Redis at %(address)s, under “%(key)s”.",
        "The database refuses %(n)d outcomes. They are kept in Redis at %(address)s, under “%(key)s”.",
        answer.aside,
    ) % {"n": answer.aside, "address": answer.address, "key": spool.ASIDE}
    advice = _(
        "Run: manage.py doctor --repair. It tries them once more, and notes in the activity log what can never be "
        "written. The worker's log has the database's own words."
    )
    return Check(name, False, summary, advice)
