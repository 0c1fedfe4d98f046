"""A failure that nothing can mend, and somebody has looked at."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.results.values import columns

from .run import Run


class Dismissal(models.Model):
    """Of a record's failure in a run, where the record is gone; or of a plain call's, by its task id."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, related_name="dismissals", db_index=False)
    record_id = models.BigIntegerField(null=True)
    task_id = models.CharField(max_length=255, blank=True, default="")
    reason = columns.LongText(_("reason"))
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = columns.Text(max_length=150, blank=True)

    class Meta:
        verbose_name = _("dismissed failure")
        verbose_name_plural = _("dismissed failures")
        default_permissions = ("add",)
        constraints = [
            # Once each, and how a failure finds out: by its run and record, or by its call.
            models.UniqueConstraint(fields=["run", "record_id"], name="dismissed_once"),
            models.UniqueConstraint(fields=["task_id"], condition=~Q(task_id=""), name="call_dismissed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.by_name}: {self.reason}"
