"""The columns of a file beside the fields they fill: how the text of a cell becomes a value, and a value a text."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from sys import maxsize
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db.models import CharField, TextField
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export.widgets import Widget

from .cells import Text


class Wrong(str):
    """What is wrong with a cell, in place of its value."""

    __slots__ = ()


class Column:
    """Of texts and other plain values."""

    def __init__(self, name: str, field: Any, widget: Widget) -> None:
        self.name, self.field, self.widget = name, field, widget
        self.lookup = field.attname
        self.spellings = {str(value).casefold(): value for value, _label in field.flatchoices}
        self.is_needed = not field.blank
        self.is_words = isinstance(field, CharField | TextField)

    def read(self, texts: Sequence[str]) -> list[Any]:
        """The value of each, or what is Wrong with it. Most are what their column takes, and lose no time."""
        most, known = self.field.max_length or maxsize, self.known
        if known:
            return [text if text in known else self.value_of(text) for text in texts]
        if not self.takes_any_text:
            return [self.value_of(text) for text in texts]
        return [
            text if text.strip() and len(text) <= most and "\x00" not in text else self.value_of(text) for text in texts
        ]

    def value_of(self, text: str) -> Any:
        if problem := self.problem_of(text):
            return Wrong(problem)
        return (text or self.emptied) if self.takes_any_text else self.cleaned(text)

    def problem_of(self, text: str) -> str:
        """Of the text as such."""
        if self.is_needed and not text.strip():
            return _("a value is needed.")
        if self.field.max_length is not None and len(text) > self.field.max_length:
            counts = {"length": f"{len(text):,}", "max": self.field.max_length}
            return _("the cell has %(length)s characters; at most %(max)d are taken.") % counts
        if "\x00" in text:
            return _("the cell has a null character.")
        if self.spellings and text.strip() and text.strip().casefold() not in self.spellings:
            return _("“%(value)s” is not a %(field)s; it is one of %(choices)s.") % {
                "value": text.strip(),
                "field": self.field.verbose_name,
                "choices": ", ".join(map(str, self.spellings.values())),
            }
        return ""

    @cached_property
    def is_plain(self) -> bool:
        """No rule but those of `problem_of`, as in most columns."""
        rules = [rule for rule in self.field.validators if not isinstance(rule, MaxLengthValidator)]
        return self.is_words and type(self.widget) is Text and not rules

    @cached_property
    def takes_any_text(self) -> bool:
        return self.is_plain and not self.spellings

    @cached_property
    def known(self) -> set[str]:
        """Choices, as they are spelled."""
        return set(self.spellings.values()) - {""} if self.is_plain else set()

    @cached_property
    def emptied(self) -> Any:
        """The value of an empty cell."""
        return None if self.field.null else "" if self.is_words else self.field.get_default()

    def cleaned(self, text: str) -> Any:
        if not text.strip() and (self.emptied is None or not self.is_words):
            return self.emptied if self.field.null or self.emptied is not None else Wrong(_("a value is needed."))
        try:
            value = self.widget.clean(self.spellings.get(text.strip().casefold(), text))
            value = self.field.clean(value, None)
        except ValidationError as error:
            return Wrong(" ".join(error.messages))
        except (ValueError, TypeError, ArithmeticError) as error:  # a widget's
            return Wrong(_("“%(value)s” cannot be read (%(error)s).") % {"value": text[:50], "error": error})
        if isinstance(value, datetime) and timezone.is_naive(value):
            return timezone.make_aware(value)
        return value

    def text(self, value: Any) -> str:
        return "" if value is None else str(self.widget.render(value))

    def is_same(self, one: Any, other: Any) -> bool:
        return bool(one == other) or (type(one) is not str and self.text(one) == self.text(other))

    def stored(self, value: Any) -> Any:
        return value
