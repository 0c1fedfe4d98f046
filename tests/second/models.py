from django.db import models

from backoffice.runs.seam import Outcome, Processable


class Invoice(Processable):
    compared = ("number",)

    number = models.CharField(max_length=20)
    net = models.DecimalField(max_digits=10, decimal_places=2)
    gross = models.DecimalField(max_digits=10, decimal_places=2, null=True, editable=False)

    def __str__(self) -> str:
        return self.number

    def process(self) -> Outcome:
        self.gross, self.processed = self.net * 6 / 5, True
        return Outcome("taxed", f"{self.gross:.2f}")
