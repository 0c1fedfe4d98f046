"""What happened and is still to be told."""

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.results.values import columns

from .run import Run


class EventQuerySet(models.QuerySet["Event"]):
    def due(self) -> Self:
        return self.filter(due_at__lte=timezone.now(), attempts__lt=Event.MOST)

    def given_up(self) -> Self:
        return self.filter(attempts__gte=Event.MOST)


class Event(models.Model):
    """The outbox: what happened to a run, or to something else, written with it, until everybody who wants to know was
    told."""

    MOST = 20  # attempts: with their growing waits, about ten hours

    class Kind(models.TextChoices):
        RUN_FINISHED = "run_finished", _("run finished")
        SCHEDULE_OFF = "schedule_off", _("schedule turned off")
        NOTICE = "notice", _("notice to send")

    kind = models.CharField(max_length=40, choices=Kind)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, related_name="events")
    about = models.JSONField(null=True, help_text=_("What it happened to, where that is no run."))
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now, help_text=_("When it is told, or told again."))
    attempts = models.PositiveSmallIntegerField(default=0)
    told = models.JSONField(default=list, help_text=_("Names of those who took it."))
    error = columns.LongText(blank=True, default="")

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} of run {self.run_id}" if self.run_id else f"{self.kind} {self.about}"
