"""What a person is told, and what they want to be told."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.runs.models import Run, new_uid


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, user: Any) -> Self:
        return self.filter(user_id=user.pk)

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notice(models.Model):
    """Something a person is told, once. What the bell need not ring for is read from the beginning."""

    class Kind(models.TextChoices):
        RUN_FINISHED = "run_finished", _("run finished")
        SCHEDULE_OFF = "schedule_off", _("schedule turned off")

    uid = models.CharField(max_length=32, unique=True, default=new_uid, help_text=_("Its mail's Message-ID."))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+")
    key = models.CharField(max_length=32, help_text=_("Of what happened: nobody is told it twice."))
    kind = models.CharField(max_length=40, choices=Kind)
    is_failure = models.BooleanField(default=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, related_name="+")
    about = models.JSONField(null=True, help_text=_("What it is about, where that is no run."))
    created_at = models.DateTimeField(default=timezone.now, db_index=True)  # retention asks for the old ones
    read_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notice_once")]
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_of"),
            # the bell of every open page asks for these, which are few
            models.Index(fields=["user"], name="notice_unread", condition=Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for user {self.user_id}"

    @property
    def is_own(self) -> bool:
        """Of a run that they started or planned themselves."""
        return self.run is not None and self.run.requester_id == self.user_id

    def is_wanted(self, wish: str) -> bool:
        return Wish(wish).wants(is_failure=self.is_failure, is_own=self.is_own)


class Wish(models.TextChoices):
    """A schedule may start a run each minute: of such runs people mostly hear enough when something went wrong."""

    ALWAYS = "always", _("always, each run of my schedules too")
    OWN = "own", _("when a run that I started has ended, or something went wrong")
    FAILURE = "failure", _("only when something went wrong")
    NEVER = "never", _("never")

    def wants(self, *, is_failure: bool, is_own: bool) -> bool:
        return self == Wish.ALWAYS or (self != Wish.NEVER and is_failure) or (self == Wish.OWN and is_own)


class Preference(models.Model):
    """What one person wants to hear, by which way. Who never said has none, and is told as the defaults have it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    bell = models.CharField(_("bell"), max_length=7, choices=Wish, default=Wish.OWN)
    email = models.CharField(_("e-mail"), max_length=7, choices=Wish, default=Wish.FAILURE)

    class Meta:
        verbose_name = _("preference of notices")
        verbose_name_plural = _("preferences of notices")
        default_permissions = ()

    def __str__(self) -> str:
        return f"preference of user {self.user_id}"

    @classmethod
    def of(cls, user: Any) -> "Preference":
        return cls.objects.filter(pk=user.pk).first() or cls(user=user)
