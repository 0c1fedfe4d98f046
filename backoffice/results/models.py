"""The activity log: who did what, when, to what; and small notes about tasks. TaskResult is another package's."""

from typing import Any, Never

from django.db import models
from django.utils.translation import gettext_lazy as _


class AppendOnlyError(TypeError):
    """Raised by every way the ORM has of changing or deleting an activity."""


class ActivityQuerySet(models.QuerySet["Activity"]):
    def update(self, **kwargs: Any) -> Never:
        raise AppendOnlyError("The activity log is append-only: an entry is never changed.")

    def delete(self) -> Never:
        raise AppendOnlyError("The activity log is append-only: an entry is never deleted.")

    bulk_update = update  # type: ignore[assignment]


class Activity(models.Model):
    """One thing somebody did. Actor and target are text, so that the entry outlives both."""

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    actor = models.CharField(_("who"), max_length=150)
    actor_id = models.BigIntegerField(
        _("user"), null=True, help_text=_("The user's number, which stays when the name does not. Empty: the machine.")
    )
    verb = models.CharField(_("did"), max_length=60, help_text=_("For example 'run.started'."))
    target = models.CharField(_("to what"), max_length=200, blank=True)
    model = models.CharField(max_length=100, blank=True, help_text=_("The target's model label, lower case."))
    object_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activity log")
        ordering = ["-pk"]
        # one object's history, newest first
        indexes = [models.Index(fields=["model", "object_id", "-id"], name="activity_of_object")]

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.target}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("The activity log is append-only: an entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnlyError("The activity log is append-only: an entry is never deleted.")


class CancelRequest(models.Model):
    """Somebody wants a plain task to stop; tasks that listen look for their row."""

    task_id = models.CharField(max_length=255, unique=True)
    requested_by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("cancel request")
        verbose_name_plural = _("cancel requests")

    def __str__(self) -> str:
        return f"cancel {self.task_id}"


class UntoldResult(models.Model):
    """A task whose outcome has its row, and which Redis did not take: the sweep tells it. Almost always empty."""

    task_id = models.CharField(max_length=255, unique=True)

    def __str__(self) -> str:
        return f"untold {self.task_id}"
