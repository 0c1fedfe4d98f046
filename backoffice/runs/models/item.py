"""One record inside a run: the ledger's line."""

from collections.abc import Iterator, Sequence
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .run import Run
from .states import OPEN, State


class RunItemQuerySet(models.QuerySet["RunItem"]):
    def of(self, run: Run) -> Self:
        return self.filter(run_id=run.pk)

    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def failed(self) -> Self:
        return self.filter(state=State.FAILURE)

    def in_pages(self, size: int = 1_000) -> Iterator[Sequence["RunItem"]]:
        """Those of one run in order of record id, by key: a million take no more memory than a page, and no cursor
        stays open while the reader is slow."""
        items, page = self.order_by("record_id"), list(self.order_by("record_id")[:size])
        while page:
            yield page
            page = list(items.filter(record_id__gt=page[-1].record_id)[:size]) if len(page) == size else []


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
    # Of a failure: `counting.groups`. NULL costs no bytes, and its column comes without a copy of the table.
    alike = models.CharField(max_length=16, null=True, help_text=_("The group of failures like it."))  # noqa: DJ001

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
    def is_left_alone(self) -> bool:
        """Not written by an undo, as it had moved; one that was cancelled has no outcome."""
        return self.state == State.REVOKED and bool(self.outcome)

    @property
    def word(self) -> str:
        """For people: what became of it."""
        return str(_("left alone") if self.is_left_alone else State(self.state).label)

    @property
    def task_id(self) -> str:
        """The id of its outcome in TaskResult and Redis."""
        return self.run.item_task_id(self.record_id)
