"""A shipment and its carrier."""

from decimal import Decimal
from typing import Any

from tests.freight.models import Carrier, Shipment


def shipment(number: str = "S1", carrier: Carrier | None = None, **fields: Any) -> Shipment:
    carrier = carrier or Carrier.objects.create(name="DHL")
    return Shipment.objects.create(**({"number": number, "carrier": carrier, "weight": Decimal("2.50")} | fields))
