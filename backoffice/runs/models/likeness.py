"""By what records are taken for the same one, as short numbers in an index, and the pairs of which a person said no."""

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.results.values import columns


class Likeness(models.Model):
    """A normal form that a record has, as a number. Of two records with the same one each is the other's candidate."""

    record_type = models.ForeignKey(
        ContentType, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    value = models.BigIntegerField()
    record_id = models.BigIntegerField()
    open = models.BooleanField(
        db_default=False, help_text=_("Another record has the same one, and nobody set the two apart.")
    )

    class Meta:
        verbose_name = _("likeness")
        verbose_name_plural = _("likenesses")
        default_permissions = ()
        constraints = [
            # Candidates, from the index alone.
            models.UniqueConstraint(fields=["record_type", "value", "record_id"], name="likeness_of_records")
        ]
        indexes = [
            models.Index(fields=["record_id"], name="likeness_of_a_record"),
            # The list's filter. Partial: few of a million records have a candidate.
            models.Index(fields=["record_type", "record_id"], name="likeness_open", condition=Q(open=True)),
        ]

    def __str__(self) -> str:
        return f"a likeness of record {self.record_id}"


class Apart(models.Model):
    """Two records that somebody compared and found not to be the same; until a compared value of one changes."""

    record_type = models.ForeignKey(
        ContentType, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    low = models.BigIntegerField(help_text=_("The lower record id."))
    high = models.BigIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = columns.Text(_("by"), max_length=150)
    reason = columns.LongText(_("reason"))
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("decision about two records")
        verbose_name_plural = _("decisions about two records")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["record_type", "low", "high"], name="one_decision_per_pair")]
        indexes = [models.Index(fields=["high"], name="apart_from_the_higher")]

    def __str__(self) -> str:
        return f"records {self.low} and {self.high} are two"


class LookedOver(models.Model):
    """How far the records of one kind have been compared anew, by id, and under which version of its rules."""

    record_type = models.OneToOneField(ContentType, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    rules = models.CharField(max_length=64)
    after = models.BigIntegerField(default=0)
    is_first = models.BooleanField(default=True, help_text=_("Not all were compared under these rules yet."))
    begun_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("look over records")
        verbose_name_plural = _("looks over records")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.record_type} up to {self.after}"
