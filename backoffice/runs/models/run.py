"""A run: one request, who made it, and how far it is."""

import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models import Q
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.results.values import columns

from .. import ids
from .states import State


class TaskName(models.Model):
    """A small number for a record task's name: items carry it in their active-record constraint."""

    name = models.CharField(max_length=200, unique=True)

    class Meta:
        verbose_name = _("record task")
        verbose_name_plural = _("record tasks")

    def __str__(self) -> str:
        return self.name


class RecordOutcome(NamedTuple):
    """What became of one record of a run: `outcome` is what the task said of it ("label: detail"), `error` why it
    failed ("ValueError: ..."); each is "" where there is none."""

    record_id: int
    state: State
    outcome: str
    error: str


def new_uid() -> str:
    return uuid.uuid4().hex


# Fired by one, or planned: then it has a schedule of its own, which says when it begins.
OF_SCHEDULES = Q(source="schedule") | Q(due_at__isnull=False)


def sees_schedules(user: Any) -> bool:
    return any(user.has_perm(f"django_celery_beat.{verb}_periodictask") for verb in ("view", "change"))


class RunQuerySet(models.QuerySet["Run"]):
    def open(self) -> Self:
        return self.filter(finished_at=None)

    def due(self) -> Self:
        """Waiting for a time that has come."""
        return self.open().filter(state=State.PENDING, activated_at=None, due_at__lte=timezone.now())

    def planned(self) -> Self:
        """Made, and not begun."""
        return self.open().filter(activated_at=None, cancelled_at=None, due_at__isnull=False)

    def visible_to(self, user: Any) -> Self:
        """The user's own runs, everybody's for holders of the view permission, and what schedules start or are to start
        for those who may see or fire schedules."""
        if user.has_perm("runs.view_run"):
            return self
        if sees_schedules(user):
            return self.filter(Q(requester_id=user.pk) | OF_SCHEDULES)
        return self.filter(requester_id=user.pk) if user.pk else self.none()


class Run(models.Model):
    """One request to apply one record task to a set of records."""

    class Source(models.TextChoices):
        ACTION = "action", _("action")
        SCHEDULE = "schedule", _("schedule")
        RETRY = "retry", _("retry")
        COMMAND = "command", _("command")

    class Purpose(models.TextChoices):
        REAL = "real", _("real")
        UNDO = "undo", _("undo")
        REDO = "redo", _("redo")  # an undo of an undo; an undo of that is an undo again

    uid = models.CharField(max_length=32, unique=True, default=new_uid, editable=False)
    task = models.ForeignKey(TaskName, on_delete=models.PROTECT, verbose_name=_("task"))
    record_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, verbose_name=_("record type"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)

    source = models.CharField(_("source"), max_length=8, choices=Source, default=Source.ACTION)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="runs", verbose_name=_("requester")
    )
    requester_name = columns.Text(_("requested by"), max_length=150, blank=True)
    schedule = models.ForeignKey(
        "django_celery_beat.PeriodicTask",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("schedule"),
    )
    schedule_name = columns.Text(_("schedule name"), max_length=200, blank=True)
    retry_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="retries")
    purpose = models.CharField(
        _("purpose"), max_length=9, choices=Purpose, default=Purpose.REAL, db_default=Purpose.REAL
    )
    undoes = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, db_index=False, related_name="undone_by",
        help_text=_("What an undo takes back."),
    )  # fmt: skip
    selection = columns.Text(_("selection"), max_length=500, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    reason = columns.LongText(_("reason"), blank=True, default="", db_default="")
    # One form, one run: a replayed or doubled POST finds the first one's token.
    form_token = columns.Text(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001 - unique

    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    activated_at = models.DateTimeField(null=True, help_text=_("When its items became active: at once, or when due."))
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    cancelled_by = columns.Text(_("cancelled by"), max_length=150, blank=True)
    cancel_reason = columns.LongText(_("why it was cancelled"), blank=True, default="", db_default="")

    total = models.PositiveIntegerField(_("records"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    skip_reasons = models.JSONField(default=dict, blank=True, help_text=_("Code of the reason: number of records."))
    succeeded = models.PositiveIntegerField(_("succeeded"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    revoked = models.PositiveIntegerField(_("cancelled records"), default=0)
    settled_at = models.DateTimeField(null=True, editable=False, help_text=_("None of its failures stands any more."))
    conflicts = models.PositiveIntegerField(
        _("left alone"), default=0, db_default=0, help_text=_("Those of the cancelled records that had changed since.")
    )
    # The highest record id handed to a chunk so far; what lies above it waits for its slice.
    cursor = models.BigIntegerField(null=True, editable=False)
    sliced = models.BooleanField(default=False, editable=False, help_text=_("Nothing lies above the cursor."))

    objects = RunQuerySet.as_manager()

    # Set by publish() on the object in hand: its messages wait for the sweep, because the broker did not take them.
    waits_for_broker = False

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-pk"]
        indexes = [
            # the sweep and the index page ask for what is not finished: a handful of rows among many
            models.Index(fields=["id"], name="run_open", condition=Q(finished_at=None)),
            models.Index(fields=["requester", "-id"], name="run_mine"),
            # failures that may stand are those of these runs: few, where somebody looks after them
            models.Index(fields=["id"], name="run_unsettled", condition=Q(failed__gt=0, settled_at=None)),
            # by which runs one was undone. Partial: hardly any run is an undo
            models.Index(fields=["undoes"], name="run_undone_by", condition=Q(undoes__isnull=False)),
            # the last to end, and those of a day: for the desk, which asks each second while something runs
            models.Index(fields=["finished_at"], name="run_finished", condition=Q(finished_at__isnull=False)),
        ]
        permissions = [
            ("cancel_run", "Can cancel runs"),
            ("retry_run", "Can retry the failed records of runs"),
            ("undo_run", "Can undo runs"),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"

    @property
    def done(self) -> int:
        return self.succeeded + self.failed + self.revoked

    @property
    def open_items(self) -> int:
        return self.total - self.done

    @property
    def is_undo(self) -> bool:
        return self.purpose != self.Purpose.REAL

    @property
    def source_words(self) -> str:
        """A schedule's own firings are asked for by nobody."""
        return source_words(self.source, self.requester_name)

    @property
    def seconds(self) -> float | None:
        """From the first claim to the last outcome."""
        if not self.started_at or not self.finished_at:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def is_of_schedules(self) -> bool:
        return self.source == Run.Source.SCHEDULE or self.due_at is not None

    @property
    def is_planned(self) -> bool:
        return self.due_at is not None and self.activated_at is None and self.finished_at is None

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until it has ended, `timeout` seconds at most (None: for ever). Returns the run itself, read anew.

        Asks the database alone, twenty times a second at first and twice a second in the long run. Raises TimeoutError,
        with how far it is, and TransactionManagementError inside a transaction: its messages leave with the commit.
        """
        for _look in self.looks(timeout):
            pass
        return self

    def looks(self, timeout: float | None = None) -> Iterator[Self]:
        """What `wait` sees on its way: the run, read anew each time, the last time when it has ended."""
        deadline, pause = None if timeout is None else time.monotonic() + timeout, 0.05
        while True:
            self.refresh_from_db()
            yield self
            if self.is_finished:
                return
            if connection.in_atomic_block:
                raise TransactionManagementError(f"{self} does not go on while a transaction is open here: wait after.")
            left = pause if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{self} has not ended in {timeout:g} seconds: {self.done} of {self.total} are done")
            time.sleep(min(pause, left))
            pause = min(pause * 1.2, 0.5)

    def outcomes(self) -> Iterator[RecordOutcome]:
        """What became of each of its records, by id, as it is now; those of a run that has not ended are among them.

        A million take no more memory than a thousand: 1,000 are read at once.
        """
        for page in self.items.in_pages():
            for item in page:
                yield RecordOutcome(item.record_id, State(item.state), item.outcome, item.error)

    def item_task_id(self, record_id: int) -> str:
        """The id under which ledger, TaskResult and Redis keep this run's outcome for one record."""
        return ids.item_task_id(self.uid, record_id)


def source_words(source: str, by: str) -> str:
    """What started it; of a schedule whether somebody pressed Run now."""
    word = str(dict(Run.Source.choices).get(source, source))
    return str(_("%(source)s, run by hand") % {"source": word}) if source == Run.Source.SCHEDULE and by else word
