"""Fields whose values are not what their columns hold, or equal nothing."""

import uuid
from typing import Any, Self

from django.db import models

from backoffice.runs.seam import Outcome, Processable


class Reading(models.CharField):
    """A text in the database, a number in Python: "nan" equals nothing."""

    def from_db_value(self, value: str | None, *_: Any) -> float | None:
        return None if value is None else float(value)

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else str(value)


class Point:
    """Compared by identity."""

    def __init__(self, text: str) -> None:
        self.text = text


class PointField(models.CharField):
    def from_db_value(self, value: str, *_: Any) -> Point:
        return Point(value)

    def get_prep_value(self, value: Any) -> Any:
        return value.text if isinstance(value, Point) else value


class Array(list):
    """As of numbers: has no truth of its own when compared."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("The truth value of an array is ambiguous.")

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]


class ArrayField(models.CharField):
    def from_db_value(self, value: str, *_: Any) -> Array:
        return Array(value.split(","))

    def get_prep_value(self, value: Any) -> Any:
        return ",".join(value) if isinstance(value, Array) else value


class Secret(models.CharField):
    """Stored anew each time, like what is encrypted with a nonce, and compared by identity."""

    def from_db_value(self, value: str, *_: Any) -> Point:
        return Point(value)

    def get_prep_value(self, value: Any) -> Any:
        return f"{value.text}-{uuid.uuid4().hex}"[:50] if isinstance(value, Point) else value


class Odd(Processable):
    number = models.FloatField(null=True)
    reading = Reading(max_length=20, default="1")
    point = PointField(max_length=20, default="1,2")
    figures = ArrayField(max_length=20, default="1,2")
    label = models.CharField(max_length=20, default="")
    note = models.CharField(max_length=20, default="")
    effects = models.IntegerField(default=0)

    @classmethod
    def from_db(cls, *arguments: Any) -> Self:
        found = super().from_db(*arguments)
        found.label = found.label.strip()
        return found

    def process(self) -> Outcome:
        self.processed, self.effects = True, self.effects + 1
        return Outcome("done")


class Never(Processable):
    """No two readings of it are alike."""

    secret = Secret(max_length=50, default="")
    effects = models.IntegerField(default=0)

    def process(self) -> Outcome:
        self.processed, self.effects = True, self.effects + 1
        return Outcome("done")
