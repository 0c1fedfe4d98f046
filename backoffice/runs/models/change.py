"""What a task changed in one record."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .run import Run


class FieldChange(NamedTuple):
    """A field's values as `runs.change.values` writes them."""

    field: str
    before: Any
    after: Any


class FieldMove(NamedTuple):
    """The same, and what is there now."""

    field: str
    before: Any
    after: Any
    now: Any


class ChangeSet(models.Model):
    """The fields of one record that a run, or a plain call, really changed. None where nothing changed.

    As with items no foreign key is enforced by the database. The values are JSON as text: `jsonb` would write numbers
    its own way, and takes no NUL.
    """

    run = models.ForeignKey(
        Run, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="change_sets"
    )
    record_id = models.BigIntegerField()
    fields = models.TextField(help_text=_("Names, with a blank on both sides of each."))
    before = models.TextField(help_text=_("JSON: a value for each field."))
    after = models.TextField()
    at = models.DateTimeField()
    others = models.CharField(
        max_length=64, default="", db_default="",
        help_text=_("Digest of what else outcomes are made of, where the record ceased to be processed by this."),
    )  # fmt: skip
    # Of a plain call; a run says these itself.
    record_type = models.ForeignKey(
        ContentType, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    task = models.CharField(max_length=200, blank=True, default="")
    task_id = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        verbose_name = _("change set")
        verbose_name_plural = _("change sets")
        default_permissions = ()
        constraints = [
            # One for each record of a run, found by run, and by a record's runs. Plain calls have no run: NULLs differ.
            models.UniqueConstraint(fields=["run", "record_id"], name="one_change_set_per_record_and_run")
        ]
        indexes = [
            # A record's timeline, and retention. Partial: paid by plain calls alone.
            models.Index(fields=["record_id"], name="change_of_a_plain_call", condition=Q(run=None)),
            models.Index(fields=["at"], name="change_of_a_plain_call_age", condition=Q(run=None)),
        ]

    def __str__(self) -> str:
        return f"what changed in record {self.record_id}"

    @property
    def changes(self) -> Iterator[FieldChange]:
        values = zip(self.fields.split(), json.loads(self.before), json.loads(self.after), strict=True)
        return (FieldChange(*each) for each in values)


class LeftAlone(models.Model):
    """A record that an undo did not write, as it had moved: what the run had found and left in it, and what is there.

    Of one that is gone, or that the database refused, there are no fields. The reason stands in its item.
    """

    pk = models.CompositePrimaryKey("run_id", "record_id")
    run = models.ForeignKey(
        Run, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="left_alone"
    )
    record_id = models.BigIntegerField()
    fields = models.TextField(blank=True, default="", help_text=_("Names, with a blank on both sides of each."))
    before = models.TextField(default="[]", help_text=_("JSON: a value for each field."))
    after = models.TextField(default="[]")
    now = models.TextField(default="[]")

    class Meta:
        verbose_name = _("record left alone")
        verbose_name_plural = _("records left alone")
        default_permissions = ()

    def __str__(self) -> str:
        return f"record {self.record_id}, left alone by run {self.run_id}"

    @property
    def moves(self) -> Iterator[FieldMove]:
        told = (json.loads(text) for text in (self.before, self.after, self.now))
        return (FieldMove(*each) for each in zip(self.fields.split(), *told, strict=True))
