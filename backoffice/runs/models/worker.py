"""Who works, and when it was last heard of."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.results.values import columns

from .. import ids


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
    def serves(self) -> list[str]:
        return self.queues.replace(",", " ").split()

    @property
    def seconds_ahead(self) -> float:
        """Of its clock to the database's."""
        return (self.clock - self.seen_at).total_seconds() if self.clock else 0.0
