"""What the desk keeps itself: how long everything else is kept, how often sign-ins went wrong, counts by day."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SHORTEST = 7  # days: Redis answers for one, and a run may well take another
LONGEST = 36_500


class RetentionPolicy(models.Model):
    """The age at which one kind of row is deleted. There is a row for each kind, and no other."""

    class Kind(models.TextChoices):
        RESULTS = "results", _("task results")
        CHANGES = "changes", _("what changed in records")
        ITEMS = "items", _("records of runs")
        RUNS = "runs", _("runs")
        NOTICES = "notices", _("notices")

    kind = models.CharField(_("what"), max_length=7, choices=Kind, unique=True, editable=False)
    days = models.PositiveIntegerField(
        _("kept for, in days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(SHORTEST), MaxValueValidator(LONGEST)],
        help_text=_("Counted from the end. Empty: kept for ever."),
    )

    class Meta:
        verbose_name = _("retention")
        verbose_name_plural = _("retention")
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.Kind(self.kind).label)

    def clean(self) -> None:
        """A run without its records proves little, and records without their run nothing: the run stays longer, and
        a record of it as long as what changed in it."""
        days = {row.kind: row.days for row in RetentionPolicy.objects.all()} | {self.kind: self.days}
        told = {
            (self.Kind.ITEMS, self.Kind.RUNS): _("Runs must be kept at least as long as their records"),
            (self.Kind.CHANGES, self.Kind.ITEMS): _("Records of runs must be kept at least as long as their changes"),
        }
        for (first, then), what in told.items():
            longest, asked = days.get(then), days.get(first, 0)
            if longest is not None and (asked is None or asked > longest):
                raise ValidationError({"days": _("%s: change the other one first.") % what})

    def cutoff(self) -> datetime | None:
        """What ended before it may go; None: nothing may."""
        return None if self.days is None else timezone.now() - timedelta(days=self.days)

    @classmethod
    def cutoffs(cls) -> dict[Any, datetime | None]:
        return {row.kind: row.cutoff() for row in cls.objects.all()}


class DayCount(models.Model):
    """How many records a named filter of a list found last on a day, or came to an outcome on it."""

    class Kind(models.TextChoices):
        WAITING = "waiting", _("records of a filter")
        OUTCOME = "outcome", _("records with an outcome")
        FAILED = "failed", _("records that failed")

    day = models.DateField()
    label = models.CharField(max_length=201, help_text=_("The kind of record."))
    kind = models.CharField(max_length=7, choices=Kind)
    key = models.CharField(max_length=250, help_text=_("The filter, as the list's address has it; or the outcome."))
    number = models.PositiveBigIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("count of a day")
        verbose_name_plural = _("counts of days")
        default_permissions = ()
        # The day first: pages ask for the last few.
        constraints = [models.UniqueConstraint(fields=["day", "label", "kind", "key"], name="one_count_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.label} {self.key}: {self.number}"


class SignInCount(models.Model):
    """Tries in a row that were not followed by a sign-in, of an address, an account, or a pair of such."""

    key = models.CharField(max_length=64, primary_key=True, help_text=_("A digest of what is counted."))
    tries = models.PositiveIntegerField()
    until = models.DateTimeField(help_text=_("Before this no try is heard."))
    last = models.DateTimeField(db_index=True, help_text=_("The last try that was heard."))  # old rows are cleared away

    class Meta:
        verbose_name = _("count of sign-ins")
        verbose_name_plural = _("counts of sign-ins")

    def __str__(self) -> str:
        return f"{self.tries} until {self.until:%H:%M:%S}"

    def count(self, wait: Callable[[int], timedelta], now: datetime, forgotten: datetime) -> None:
        self.tries = 1 if self.last < forgotten else self.tries + 1
        self.until, self.last = now + wait(self.tries), now


class Comparison(models.Model):
    """One look at whether ledger, task results and Redis agree. At most one is open."""

    # True until it ends and then NULL, of which a unique column takes many.
    open = models.BooleanField(null=True, default=True, unique=True)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.CharField(max_length=150)
    started_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(default=timezone.now, help_text=_("The last word of whoever is at it."))
    finished_at = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True, help_text=_("Runs that ended later were compared, and open ones."))
    expected = models.PositiveBigIntegerField(default=0, help_text=_("Records of these runs."))
    counts = models.JSONField(default=dict, help_text=_("What was looked at, and of each kind what differs."))
    differences = models.JSONField(default=list, help_text=_("The first ones."))
    error = models.TextField(blank=True, default="", help_text=_("Why it came to no end."))

    class Meta:
        verbose_name = _("comparison of ledger and results")
        verbose_name_plural = _("comparisons of ledger and results")
        ordering = ["-pk"]
        default_permissions = ("view",)
        permissions = [("ask_comparison", _("Can have ledger and results compared"))]

    def __str__(self) -> str:
        return f"comparison {self.pk}"


class SavedView(models.Model):
    """A filter of a list that one person has given a name."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    label = models.CharField(max_length=201, help_text=_("What the list is of."))
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=2000, help_text=_("As the list's address has it."))

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "label", "name"], name="one_view_of_a_name")]

    def __str__(self) -> str:
        return self.name
