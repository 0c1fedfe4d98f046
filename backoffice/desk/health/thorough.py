"""What only `doctor` asks: the schema, the ledger and the schedules, in as long as that takes."""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_celery_beat.models import PeriodicTask

from backoffice.notices import mail
from backoffice.runs.database import clock
from backoffice.runs.doctor.findings import Drift
from backoffice.runs.models import Chunk, Event, Run
from backoffice.runs.registry import record_tasks
from backoffice.schedules.pages import status
from backoffice.schedules.rules import permitted

from ..agreement.kinds import found
from .health import Check, checks

UNSENT = 3  # tries, with more than a minute between the first and the last
STUCK = timedelta(minutes=2)  # the sweep looks every few seconds: what is older than this it has not seen
SYSTEM_SCHEDULES = (permitted.SWEEP, "backoffice.desk.tasks.apply_retention", "backoffice.desk.tasks.count_records")


def thorough_checks() -> list[Check]:
    """What `manage.py doctor` asks: also the schema and the ledger."""
    asked = checks()
    if not next(check for check in asked if check.name == _("Database")).ok:
        return asked
    pending = migrations()
    return [*asked, pending] + (
        [oldest_work(), lost_code(), leases(), untold(), unsent(), system_schedules()] if pending.ok else []
    )


def migrations() -> Check:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not missing:
        return Check(_("Schema"), True, _("All migrations are applied."))
    summary = ngettext("%d migration is not applied.", "%d migrations are not applied.", missing) % missing
    return Check(_("Schema"), False, summary, _("Run: manage.py migrate"))


def oldest_work() -> Check:
    """The oldest message nobody took, and the oldest run that is not finished."""
    name, now = _("Oldest work"), timezone.now()
    unclaimed = Chunk.objects.unclaimed().filter(created_at__lt=clock.now(-STUCK)).order_by("created_at").first()
    if unclaimed:
        waited = {"time": timesince(unclaimed.created_at, now), "run": unclaimed.run_id}
        return Check(
            name,
            False,
            _("A part of run %(run)s has waited for a worker for %(time)s.") % waited,
            _("Look at workers and broker above. The sweep sends it again as long as beat and a control worker run."),
        )
    run = Run.objects.open().filter(activated_at__isnull=False).order_by("pk").first()
    if run is None:
        return Check(name, True, _("No run is in progress."))
    age = {"run": run.pk, "time": timesince(run.activated_at or run.created_at, now)}
    return Check(name, True, _("Run %(run)s has been in progress for %(time)s.") % age)


def lost_code() -> Check:
    """Open runs whose record task this installation does not have: they wait for it, for ever if need be."""
    name, known = _("Record tasks"), record_tasks()
    waiting = Run.objects.open().exclude(task__name__in=known).order_by("pk").values_list("pk", "task__name")[:10]
    if not waiting:
        return Check(name, True, _("Every unfinished run's task is there."))
    summary = " ".join(_("Run %(run)s waits for “%(task)s”.") % {"run": pk, "task": task} for pk, task in waiting)
    return Check(name, False, summary, _("Install the code that has this task, or cancel the run on its page."))


def leases() -> Check:
    limit = clock.now(-timedelta(seconds=settings.RUNS_LEASE_SECONDS))
    expired = Chunk.objects.expired().filter(lease_until__lt=limit).count()
    if not expired:
        return Check(_("Leases"), True, _("None has expired."))
    summary = ngettext("%d expired and was not released.", "%d expired and were not released.", expired) % expired
    return Check(_("Leases"), False, summary, _("The sweep releases them: start beat and a control worker."))


def untold() -> Check:
    """Events of runs that somebody registered for and could not be told of."""
    name, given_up = _("Events of runs"), Event.objects.given_up().exclude(kind=Event.Kind.NOTICE).order_by("pk")
    first = given_up.first()
    if first is None:
        return Check(name, True, _("Whoever wants to know has been told, or is tried again."))
    told = {"n": given_up.count(), "event": first, "error": first.error or _("its worker died")}
    return Check(
        name,
        False,
        _("%(n)d could not be told; %(event)s: %(error)s") % told,
        _("Mend the receiver, then set `attempts` of these rows of runs_event to 0."),
    )


def unsent() -> Check:
    """Mails of notices that the mail server does not take."""
    name, mails = _("E-mail"), Event.objects.filter(kind=Event.Kind.NOTICE)
    if not mail.is_on():
        return Check(name, True, _("None is sent: EMAIL_URL is not set. People are told by the bell."))
    first = mails.filter(attempts__gte=UNSENT).order_by("-attempts", "pk").first()
    if first is None:
        return Check(name, True, _("No notice waits for the mail server."))
    number = mails.filter(attempts__gte=UNSENT).count()
    told = {"n": number, "who": mail.recipient(first.about), "error": first.error}
    summary = ngettext(
        "%(n)d notice could not be sent; to %(who)s: %(error)s",
        "%(n)d notices could not be sent; the first, to %(who)s: %(error)s",
        number,
    )
    advice = _("Mend EMAIL_URL or the address. It is tried for ten hours; then set `attempts` in runs_event to 0.")
    return Check(name, False, summary % told, advice)


def system_schedules() -> Check:
    """The machine's own schedules are there and on."""
    name = _("System schedules")
    rows = {row.task: row for row in PeriodicTask.objects.filter(task__in=permitted.system_names())}
    if missing := [task for task in SYSTEM_SCHEDULES if task not in rows]:
        summary = _("Not there: %(tasks)s.") % {"tasks": ", ".join(missing)}
        return Check(name, False, summary, _("Run: manage.py setup_backoffice"))
    if off := sorted((row for row in rows.values() if not row.enabled), key=lambda row: str(row.name)):
        summary = " ".join(f"“{row.name}”: {status.off_in_words(row)}" for row in off)
        return Check(name, False, summary, _("Turn it on: page Schedules, as a superuser."))
    return Check(name, True, _("All of them are on."))


def drift_check(drift: Drift) -> Check:
    """Ledger, TaskResult and Redis of the runs whose results are still kept."""
    name = _("Agreement")
    compared = ngettext(
        "%(n)s outcome compared in ledger, TaskResult and Redis",
        "%(n)s outcomes compared in ledger, TaskResult and Redis",
        drift.compared,
    ) % {"n": f"{drift.compared:,}"}
    if drift.redis_unknown:
        compared = ngettext(
            "%(n)s outcome compared in ledger and TaskResult; Redis did not answer",
            "%(n)s outcomes compared in ledger and TaskResult; Redis did not answer",
            drift.compared,
        ) % {"n": f"{drift.compared:,}"}
    if not drift.total:
        return Check(name, True, compared + _(": they agree."))
    advice = _("Write them as the ledger has it: manage.py doctor --repair")
    return Check(name, False, f"{compared}: {found(drift)}.", advice)
