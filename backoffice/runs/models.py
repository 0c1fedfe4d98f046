"""The ledger: runs, their items, the chunks in flight, and the workers that hold them."""

import uuid
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.results import columns

from . import ids
from .database import clock


class State(models.TextChoices):
    """Celery's own names (celery.states), for runs and items alike."""

    PENDING = "PENDING", _("pending")
    STARTED = "STARTED", _("started")
    RETRY = "RETRY", _("waiting to retry")
    SUCCESS = "SUCCESS", _("succeeded")
    FAILURE = "FAILURE", _("failed")
    REVOKED = "REVOKED", _("cancelled")


TERMINAL = (State.SUCCESS, State.FAILURE, State.REVOKED)
OPEN = (State.PENDING, State.STARTED, State.RETRY)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a record task says about a record: a short label, such as a verdict, and a sentence."""

    label: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {self.detail}" if self.detail else self.label


class Processable(models.Model):
    """A record that staff can process. Subclasses need an integer primary key (a system check says so)."""

    processed = models.BooleanField(_("processed"), default=False, editable=False)
    processed_at = models.DateTimeField(_("processed at"), null=True, editable=False)

    class Meta:
        abstract = True

    def process(self) -> Outcome:
        """Work on this record: change fields of self, save nothing, and say what came out.

        Must give the same when it runs twice. An exception makes the item FAILURE and changes nothing.
        """
        raise NotImplementedError(f"{type(self).__name__} has no process() method.")


class TaskName(models.Model):
    """A small number for a record task's name: items carry it in their active-record constraint."""

    name = models.CharField(max_length=200, unique=True)

    class Meta:
        verbose_name = _("record task")
        verbose_name_plural = _("record tasks")

    def __str__(self) -> str:
        return self.name

    @property
    def short(self) -> str:
        return self.name.rpartition(".")[2].replace("_", " ")


def new_uid() -> str:
    return uuid.uuid4().hex


class RunQuerySet(models.QuerySet["Run"]):
    def open(self) -> Self:
        return self.filter(finished_at=None)

    def due(self) -> Self:
        """Waiting for a time that has come."""
        return self.open().filter(state=State.PENDING, activated_at=None, due_at__lte=timezone.now())

    def visible_to(self, user: Any) -> Self:
        """The user's own runs, and everybody's for holders of the view permission."""
        if user.has_perm("runs.view_run"):
            return self
        return self.filter(requester_id=user.pk) if user.pk else self.none()


class Run(models.Model):
    """One request to apply one record task to a set of records."""

    class Source(models.TextChoices):
        ACTION = "action", _("action")
        SCHEDULE = "schedule", _("schedule")
        RETRY = "retry", _("retry")
        COMMAND = "command", _("command")

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
    selection = columns.Text(_("selection"), max_length=500, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
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
    skip_reasons = models.JSONField(default=dict, blank=True, help_text=_("Reason in words: number of records."))
    succeeded = models.PositiveIntegerField(_("succeeded"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    revoked = models.PositiveIntegerField(_("cancelled records"), default=0)
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
        ]
        permissions = [("cancel_run", "Can cancel runs"), ("retry_run", "Can retry the failed records of runs")]

    def __str__(self) -> str:
        return f"Run {self.pk}: {self.task.short}"

    @property
    def done(self) -> int:
        return self.succeeded + self.failed + self.revoked

    @property
    def open_items(self) -> int:
        return self.total - self.done

    @property
    def seconds(self) -> float | None:
        """From the first claim to the last outcome."""
        if not self.started_at or not self.finished_at:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None

    def item_task_id(self, record_id: int) -> str:
        """The id under which ledger, TaskResult and Redis keep this run's outcome for one record."""
        return ids.item_task_id(self.uid, record_id)


class RunItemQuerySet(models.QuerySet["RunItem"]):
    def of(self, run: Run) -> Self:
        return self.filter(run_id=run.pk)

    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def failed(self) -> Self:
        return self.filter(state=State.FAILURE)


class RunItem(models.Model):
    """One record inside a run. The items are the ledger.

    No foreign key is enforced by the database: a check per row would double the time of a click over a million
    records, the rows are written by one statement of our own, and they outlive the records they are about.
    """

    pk = models.CompositePrimaryKey("run_id", "record_id")
    run = models.ForeignKey(Run, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="items")
    record_id = models.BigIntegerField()
    task_no = models.PositiveSmallIntegerField(help_text=_("The id of the run's TaskName."))
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    active = models.BooleanField(default=True, help_text=_("Open, in a run whose time has come."))
    chunk_id = models.BigIntegerField(
        null=True, help_text=_("The owner token: the chunk that claimed it, never reused.")
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text=_("Claims."))
    retries = models.PositiveSmallIntegerField(default=0, help_text=_("Transient errors."))
    deaths = models.PositiveSmallIntegerField(default=0, help_text=_("Workers lost while alone with it."))
    due_at = models.DateTimeField(null=True, help_text=_("When a RETRY is due."))
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")

    objects = RunItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("run item")
        verbose_name_plural = _("run items")
        constraints = [
            # A record is in at most one active run per task. Partial: finished items leave it.
            models.UniqueConstraint(
                fields=["task_no", "record_id"], condition=Q(active=True), name="one_active_run_per_record"
            )
        ]
        indexes = [
            # A record's history. Partial: paid when an item ends, not at the click.
            models.Index(fields=["record_id", "task_no"], name="item_history", condition=Q(finished_at__isnull=False)),
            # "Show the failed": as many entries as failures.
            models.Index(fields=["run", "record_id"], name="item_failed", condition=Q(state="FAILURE")),
            # "Which retries are due": as many entries as retries waiting.
            models.Index(fields=["due_at"], name="item_retry_due", condition=Q(state="RETRY")),
        ]

    def __str__(self) -> str:
        return f"record {self.record_id} of run {self.run_id}"

    @property
    def task_id(self) -> str:
        """The id of its outcome in TaskResult and Redis."""
        return self.run.item_task_id(self.record_id)


class ChunkQuerySet(models.QuerySet["Chunk"]):
    def unclaimed(self) -> Self:
        return self.filter(claimed_at=None)

    def expired(self) -> Self:
        return self.filter(claimed_at__isnull=False, lease_until__lt=clock.now())

    def held_by(self, worker: str) -> Self:
        return self.filter(claimed_at__isnull=False, worker=worker)


class Chunk(models.Model):
    """A slice of a run's items on its way: published, perhaps claimed under a lease, deleted when done.

    Its id is the owner token of the items it claims. A chunk is claimed once, by one process, which may move it along
    the run from slice to slice; what a lost one leaves behind goes into new chunks. So there are never more rows here
    than messages in flight.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    worker = columns.Text(max_length=200, blank=True, default="")
    child = models.PositiveIntegerField(null=True, help_text=_("Process id of the worker's child that claimed it."))

    objects = ChunkQuerySet.as_manager()

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")

    def __str__(self) -> str:
        return f"chunk {self.pk} of run {self.run_id}"


class Worker(models.Model):
    """A process that reports that it lives: a Celery worker, or beat; and, as one row, the sweep."""

    class Kind(models.TextChoices):
        WORKER = "worker", _("worker")
        BEAT = "beat", _("beat")
        SWEEP = "sweep", _("sweep")

    name = columns.Text(max_length=200, unique=True, help_text=_("Node name, process id, a word for each start."))
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.WORKER)
    queues = columns.LongText(blank=True, default="")
    concurrency = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, help_text=_("By the database's clock."))
    clock = models.DateTimeField(null=True, help_text=_("What its own said then."))

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return ids.in_words(self.name)

    @property
    def seconds_ahead(self) -> float:
        """Of its clock to the database's."""
        return (self.clock - self.seen_at).total_seconds() if self.clock else 0.0
