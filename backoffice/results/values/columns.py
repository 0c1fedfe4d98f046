"""Columns for text that comes from outside: host and queue names, people's words, errors.

What cannot be stored is shown as its escape, and what is too long is cut with a mark, wherever it is written or looked
for. In migrations they are Django's own.
"""

from typing import Any

from django.db import models

from .text import storable


class Text(models.CharField):
    def get_prep_value(self, value: Any) -> Any:
        return _fit(super().get_prep_value(value), self.max_length)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class LongText(models.TextField):
    def get_prep_value(self, value: Any) -> Any:
        return _fit(super().get_prep_value(value), None)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs


def _fit(value: Any, longest: int | None) -> Any:
    return storable(value, longest) if isinstance(value, str) else value
