from django.core.exceptions import ValidationError
from django.db import models

from backoffice.runs.seam import Outcome, Processable


class Carrier(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Shipment(Processable):
    number = models.CharField(max_length=20, unique=True)
    carrier = models.ForeignKey(Carrier, models.PROTECT)
    weight = models.DecimalField(max_digits=8, decimal_places=2)
    due = models.DateField(null=True, blank=True)
    picked_up = models.DateTimeField(null=True, blank=True)
    fragile = models.BooleanField(default=False, blank=True)
    label = models.CharField(max_length=20, null=True, blank=True, unique=True)  # noqa: DJ001 - none has no clash
    contact = models.EmailField(blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True, editable=False)
    edited_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weight__gt=0), name="weight", violation_error_message="Nothing weighs nothing."
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} by {self.carrier}"

    def clean(self) -> None:
        if self.fragile and self.weight > 30:
            raise ValidationError("What is fragile weighs 30 kg at most.")

    def process(self) -> Outcome:
        self.price, self.processed = self.weight * 2, True
        return Outcome("priced", f"{self.price:.2f}")
