"""A record that belongs to another one, and names others."""

from django.contrib.auth.models import Group
from django.db import models

from backoffice.runs.seam import Outcome, Processable


class Part(Processable):
    whole = models.ForeignKey("probe.Probe", on_delete=models.CASCADE, related_name="parts")
    name = models.CharField(max_length=20, default="")
    note = models.CharField(max_length=20, default="", blank=True)
    length = models.IntegerField(default=0, editable=False)
    groups = models.ManyToManyField(Group, blank=True)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """As a team's own may: a field that no form has."""
        self.length = len(self.name)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def process(self) -> Outcome:
        self.processed = True
        return Outcome("done")
