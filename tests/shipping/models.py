import os
import signal
from decimal import Decimal

from django.db import models

from backoffice.runs.seam import Outcome, Processable


class Tariff(models.Model):
    name = models.CharField(max_length=20, default="")
    rate = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal(2))

    def __str__(self) -> str:
        return self.name


class Carrier(models.Model):
    name = models.CharField(max_length=20, default="")
    surcharge = models.IntegerField(default=0)
    charged = models.IntegerField(default=0)
    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return self.name


class Shipment(Processable):
    number = models.CharField(max_length=20, default="")
    weight = models.IntegerField(default=1)
    carrier = models.ForeignKey(Carrier, null=True, on_delete=models.PROTECT)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, editable=False)

    def __str__(self) -> str:
        return self.number

    def process(self) -> Outcome:
        """Priced by weight and tariff; what has no carrier costs nothing."""
        carrier = self.carrier
        self.price = self.weight * carrier.tariff.rate + carrier.surcharge if carrier else Decimal(0)
        self.processed = True
        return Outcome("priced", f"{self.price} by {carrier and carrier.name}")

    def charge(self) -> Outcome:
        outcome = self.process()
        Charge.objects.create(shipment=self, amount=self.price)
        Carrier.objects.filter(pk=self.carrier_id).update(charged=models.F("charged") + 1)
        self.after_charge()
        return outcome

    def after_charge(self) -> None:
        """Where tests come in."""
        if self.number == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)

    def weigh(self) -> Outcome:
        self.weight, self.processed = sum(parcel.weight for parcel in self.parcels.all()), True
        return Outcome("weighed", f"{self.weight}")


class Parcel(models.Model):
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="parcels")
    weight = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.weight} kg"


class Seal(models.Model):
    shipment = models.OneToOneField(Shipment, on_delete=models.CASCADE, related_query_name="sealed_by")
    number = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"Seal {self.number}"


class Charge(models.Model):
    """What a body writes elsewhere."""

    shipment = models.ForeignKey(Shipment, null=True, on_delete=models.CASCADE)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.amount}"
