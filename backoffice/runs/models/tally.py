"""How many records of a run came to the same."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .run import Run


class Tally(models.Model):
    """How many records of a run came to one outcome, or failed alike. Written with each chunk, kept with the run.

    A run has at most `LIMIT` of each kind; what came later is counted together, under an empty key.
    """

    class Kind(models.TextChoices):
        OUTCOME = "outcome", _("outcome")
        FAILURE = "failure", _("failure")

    LIMIT = 100
    LONGEST = 100  # characters of a key

    pk = models.CompositePrimaryKey("run_id", "kind", "key")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="tallies")
    kind = models.CharField(max_length=7, choices=Kind)
    key = models.CharField(max_length=LONGEST, help_text=_("The outcome's label, or the group of the failures."))
    words = models.TextField(default="", help_text=_("Of failures: what they have in common."))
    number = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.number} of run {self.run_id}: {self.words or self.key}"
