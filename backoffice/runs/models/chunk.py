"""A slice of a run on its way."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.results.values import columns

from ..database import clock
from .run import Run


class ChunkQuerySet(models.QuerySet["Chunk"]):
    def unclaimed(self) -> Self:
        return self.filter(claimed_at=None)

    def expired(self) -> Self:
        return self.filter(claimed_at__isnull=False, lease_until__lt=clock.now())

    def to_judge(self) -> Self:
        """Those that have expired, and those that never would: see `outlasting`."""
        return self.expired() | self.outlasting()

    def outlasting(self) -> Self:
        """Claims whose lease was written before the clock was set back."""
        lease = timedelta(seconds=settings.RUNS_LEASE_SECONDS)
        return self.filter(clock.is_far("lease_until", lease), claimed_at__isnull=False)

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
