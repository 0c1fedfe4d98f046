"""A record with a field of every kind that Django has."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from backoffice.runs.seam import Outcome, Processable


class Shouted(models.TextField):
    """Kept in capitals."""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return super().get_db_prep_save(value.upper(), connection)


class Kinds(Processable):
    number = models.IntegerField(default=0)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    amount = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    data = models.JSONField(null=True)
    raw = models.BinaryField(null=True)
    took = models.DurationField(null=True)
    key = models.UUIDField(null=True)
    file = models.FileField(blank=True, default="")
    shouted = Shouted(default="")
    renamed = models.CharField(max_length=20, default="", db_column="another name")
    day = models.DateField(null=True)
    at = models.TimeField(null=True)
    when = models.DateTimeField(null=True)
    ratio = models.FloatField(null=True)
    address = models.GenericIPAddressField(null=True)
    flag = models.BooleanField(null=True)

    WRITES = ("owner", "amount", "data", "raw", "took", "key", "file", "shouted", "renamed", "day", "at", "when",
              "ratio", "address", "flag", "processed")  # fmt: skip

    def process(self) -> Outcome:
        n = self.number
        self.owner_id = self.owner_id or n
        self.amount, self.data, self.raw = Decimal(n) / 4, {"n": [n, None, "ü"]}, bytes([0, 255, n % 256])
        self.took, self.key = datetime.timedelta(days=n, microseconds=7), uuid.UUID(int=n)
        self.file, self.shouted, self.renamed = f"a/{n}.txt", f"ä{n}", f"r{n}"
        self.day, self.at = datetime.date(2024, 2, 29), datetime.time(23, 59, 1, 5)
        self.when = datetime.datetime(2024, 2, 29, 12, tzinfo=timezone.get_default_timezone())
        self.ratio, self.address, self.flag, self.processed = n / 3, "2001:db8::1", None, True
        return Outcome("done")
