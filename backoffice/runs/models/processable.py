"""What a record is, and what a task says about one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

from . import at_work, compared


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a record task says about a record: a short label, such as a verdict, and a sentence."""

    label: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {self.detail}" if self.detail else self.label


class Requested(NamedTuple):
    """Who asked for a run, why, and when; of a plain call nobody (""), "", and now."""

    by: str
    reason: str
    at: datetime


class Processable(models.Model):
    """A record that staff can process. Subclasses need an integer primary key (a system check says so)."""

    processed = models.BooleanField(_("processed"), default=False, editable=False)
    processed_at = models.DateTimeField(_("processed at"), null=True, editable=False)

    # For pages that show which records may be the same one.
    compared: ClassVar[tuple[str, ...]] = ()  # fields of its own that likenesses() reads; none: nothing is compared
    likeness_rules: ClassVar[str] = ""  # another text as soon as likenesses() gives another answer: all are asked anew

    class Meta:
        abstract = True

    # A record task saves for its function; one that does so itself would save what nobody declared.

    def save(self, *args: Any, **kwargs: Any) -> None:
        at_work.refuse(self, "save()")
        fields = args[3] if len(args) > 3 else kwargs.get("update_fields")
        compared.saved(self, fields, partial(super().save, *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        at_work.refuse(self, "delete()")
        compared.forget(type(self), [self.pk])
        return super().delete(*args, **kwargs)

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        names = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        at_work.loaded(self, names)

    def likenesses(self) -> Mapping[str, str]:
        """What is equal in a record that may be the same one: texts in normal form, each under a name for pages.

        Here each compared field's own, as letters and digits without case and accents. An empty one is no likeness.
        """
        return {name: compared.folded(getattr(self, name)) for name in self.compared}

    def process(self) -> Outcome:
        """Work on this record: change fields of self, save nothing, and say what came out.

        Must give the same when it runs twice. An exception makes the item FAILURE and changes nothing.
        """
        raise NotImplementedError(f"{type(self).__name__} has no process() method.")
