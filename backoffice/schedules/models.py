"""What beat's tables lack: options and state of a schedule, its firings, and which beat leads."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from backoffice.results.values import columns
from backoffice.runs.database import clock
from backoffice.runs.database.again import again

# A try ends within seconds, and Redis has taken the message or not: whoever has not said so by then was killed in the
# middle, or stands still. Until then no other beat sends what may be on its way.
STALE = timedelta(seconds=30)


def now() -> datetime:
    """Looked up at each call, so that a test's clock is asked too."""
    return timezone.now()


def new_task_id() -> str:
    return str(uuid.uuid4())


class Missed(models.TextChoices):
    """What to do with times that passed while nothing could fire."""

    ONCE = "once", _("run once now")
    EACH = "each", _("run each of them")
    SKIP = "skip", _("skip them")


class Overlap(models.TextChoices):
    """What to do when the previous firing is still at work."""

    SKIP = "skip", _("skip this time")
    QUEUE = "queue", _("wait, then run")
    ALLOW = "allow", _("run beside it")


class ScheduleState(models.Model):
    """One schedule's options, up to when its due times are decided, and why it is off."""

    schedule = models.OneToOneField(PeriodicTask, on_delete=models.CASCADE, primary_key=True, related_name="state")
    missed = models.CharField(_("if missed"), max_length=4, choices=Missed, default=Missed.ONCE)
    overlap = models.CharField(_("if still running"), max_length=5, choices=Overlap, default=Overlap.SKIP)
    decided_until = models.DateTimeField(null=True, editable=False, help_text=_("Due times up to here are decided."))
    # decided_until says something about this timing only: a changed one starts from its own beginning.
    timing = models.CharField(max_length=1000, blank=True, default="", editable=False)
    reason = columns.LongText(_("why it is off"), blank=True, default="", editable=False)
    off_by = columns.Text(_("turned off by"), max_length=150, blank=True, default="", editable=False)
    off_at = models.DateTimeField(null=True, editable=False)
    # Nothing is enforced or cleared by the database: a deleted owner is not the same as none.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, db_constraint=False, null=True, editable=False,
        related_name="+", verbose_name=_("owner"),
    )  # fmt: skip
    owner_name = columns.Text(_("owner"), max_length=150, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = _("schedule state")
        verbose_name_plural = _("schedule states")

    def __str__(self) -> str:
        return f"state of schedule {self.schedule_id}"


class FiringQuerySet(models.QuerySet["Firing"]):
    def waiting(self) -> Self:
        return self.filter(state=Firing.State.WAITING)

    def untaken(self) -> Self:
        """Those nobody is sending right now. A mark that old is that of a beat that was killed, or stands still."""
        stale = Q(tried_at__lte=clock.now(-STALE)) | clock.is_far("tried_at", STALE)
        return self.waiting().filter(Q(tried_at=None) | stale)

    @again()
    def take(self, firings: "Sequence[Firing]") -> "list[Firing]":
        """Mark as being sent by us those that nobody has tried to send since they were read, and return them."""
        ids = [firing.pk for firing in firings]
        with transaction.atomic():
            there = self.waiting().filter(pk__in=ids).exclude(schedule=None)  # deleted since: see beat.unsent
            held = there.order_by("pk").select_for_update(no_key=True)
            tries = dict(held.values_list("pk", "attempts"))
            mine = [firing for firing in firings if tries.get(firing.pk) == firing.attempts]
            taken = self.filter(pk__in=[firing.pk for firing in mine])
            taken.update(attempts=F("attempts") + 1, tried_at=clock.now())
        for firing in mine:
            firing.attempts += 1
        return mine

    def put_back(self, firings: "Iterable[Firing]", reason: str, *, tried: bool) -> None:
        """They wait on, and whoever comes first may send them; not those that somebody else is sending by now."""
        back = {} if tried else {"attempts": F("attempts") - 1}
        for attempts, alike in groupby(sorted(firings, key=lambda f: f.attempts), key=lambda f: f.attempts):
            mine = self.waiting().filter(pk__in=[firing.pk for firing in alike], attempts=attempts)
            mine.update(tried_at=None, reason=reason, **back)

    def trim(self, schedule_id: int, keep: int) -> None:
        """Delete all but the newest of one schedule: history is bounded per schedule, whatever its frequency."""
        of_schedule = self.filter(schedule_id=schedule_id)
        if oldest_kept := of_schedule.order_by("-pk").values_list("pk", flat=True)[keep : keep + 1].first():
            of_schedule.filter(pk__lte=oldest_kept).exclude(state=Firing.State.WAITING).delete()


def last_fired() -> Case:
    """Of a schedule: when beat, or somebody by Run now, sent it last. What a few seconds' schedule does, beat alone
    knows."""
    sent = Firing.objects.filter(schedule=OuterRef("pk"), sent_at__isnull=False).order_by("-due_at").values("sent_at")
    newest = Subquery(sent[:1])
    return Case(When(Q(last_run_at=None) | Q(last_run_at__lt=newest), then=newest), default=F("last_run_at"))


class Firing(models.Model):
    """One due time of one schedule and what became of it. Written before the message is published."""

    class State(models.TextChoices):
        WAITING = "waiting", _("pending")
        SENT = "sent", _("sent")
        SKIPPED = "skipped", _("skipped")

    schedule = models.ForeignKey(
        PeriodicTask, on_delete=models.SET_NULL, null=True, related_name="firings", verbose_name=_("schedule")
    )
    schedule_name = columns.Text(_("schedule"), max_length=200)
    due_at = models.DateTimeField(_("due"))
    fired_at = models.DateTimeField(_("decided"), default=now)
    sent_at = models.DateTimeField(_("sent"), null=True)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    # Each try has its number: of two beats that would send it one finds the number it has read.
    attempts = models.PositiveIntegerField(default=0, help_text=_("How often it was sent, or tried to."))
    tried_at = models.DateTimeField(
        null=True, editable=False, help_text=_("Being sent since, by the database's clock.")
    )
    taken = models.PositiveIntegerField(
        null=True, editable=False, help_text=_("The number of the try whose message a worker took.")
    )
    times = models.PositiveIntegerField(_("due times"), default=1, help_text=_("How many this row stands for."))
    reason = columns.LongText(_("why"), blank=True, default="")
    # Looked up: it is never cut.
    by = columns.Text(_("by"), max_length=254, blank=True, default="", help_text=_("Who pressed Run now."))
    task_id = models.CharField(max_length=64, default=new_task_id, editable=False)
    run = models.ForeignKey("runs.Run", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("run"))
    note = columns.LongText(_("outcome"), blank=True, default="", help_text=_("What the started task answered."))

    objects = FiringQuerySet.as_manager()

    class Meta:
        verbose_name = _("firing")
        verbose_name_plural = _("firings")
        ordering = ["-pk"]
        constraints = [
            # Two beats, one firing.
            models.UniqueConstraint(fields=["schedule", "due_at"], name="one_firing_per_due_time"),
        ]
        indexes = [
            # what beat looks at in every round: a handful of rows among many
            models.Index(fields=["schedule"], name="firing_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_name} at {self.due_at:%Y-%m-%d %H:%M:%S}"

    @property
    def lateness(self) -> timedelta:
        """Between due and sent; until it is sent, up to now."""
        return max((self.sent_at or now()) - self.due_at, timedelta(0))

    @property
    def late_in_words(self) -> str:
        seconds = self.lateness.total_seconds()
        return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))

    @property
    def badge(self) -> str:
        return {"waiting": "retry", "sent": "success", "skipped": "cancelled"}[self.state]


class LeaseQuerySet(models.QuerySet["Lease"]):
    def take(self, holder: str, seconds: float) -> bool:
        """Hold the lease for so long, if it is free, run out or already held. One conditional UPDATE: one winner.

        One that nobody held yet is free whatever its time: that of a new row is finer than the clock of SQLite.
        """
        length = timedelta(seconds=seconds)
        free = Q(holder__in=("", holder)) | Q(until__lte=clock.now()) | clock.is_far("until", length)
        return bool(self.filter(free, pk=1).update(holder=holder, until=clock.now(length)))

    def release(self, holder: str) -> None:
        self.filter(pk=1, holder=holder).update(until=clock.now())


class Lease(models.Model):
    """One row: which of the running beats leads, and until when that holds without renewal, by the database's clock."""

    holder = columns.Text(max_length=200, blank=True, default="")
    until = models.DateTimeField(default=now)

    objects = LeaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("beat lease")
        verbose_name_plural = _("beat leases")

    def __str__(self) -> str:
        return self.holder

    @classmethod
    def current(cls) -> "Lease":
        return cls.objects.get_or_create(pk=1)[0]


class Seeded(models.Model):
    """What set-up has written once. Staff may delete or change it: this row stays, and it is not written again."""

    key = models.CharField(max_length=200, unique=True)
    at = models.DateTimeField(default=now)
    given = models.JSONField(null=True, help_text=_("Of a group: its number, and all that it was ever given."))

    class Meta:
        verbose_name = _("seeded row")
        verbose_name_plural = _("seeded rows")

    def __str__(self) -> str:
        return self.key


class Configured(models.Model):
    """What an entry of CELERY_BEAT_SCHEDULE said when its row was written: a row that still says so is the code's."""

    name = models.CharField(max_length=200, unique=True)
    schedule = models.ForeignKey(PeriodicTask, on_delete=models.SET_NULL, null=True, related_name="+")
    written = models.JSONField(help_text=_("Task, arguments, options and timing."))

    class Meta:
        verbose_name = _("configured schedule")
        verbose_name_plural = _("configured schedules")

    def __str__(self) -> str:
        return self.name
