"""Shipments by two carriers; every third has none."""

from tests.shipping.models import Carrier, Parcel, Shipment, Tariff


def shipments(number: int) -> list[Shipment]:
    carriers = [
        Carrier.objects.create(name=name, surcharge=10, tariff=Tariff.objects.create(name=name, rate=rate))
        for name, rate in (("road", 2), ("rail", 3))
    ]
    choices = [*carriers, None]
    made = [Shipment(number=f"S{n}", weight=n, carrier=choices[n % 3]) for n in range(number)]
    Shipment.objects.bulk_create(made)
    Parcel.objects.bulk_create([Parcel(shipment=shipment, weight=n) for shipment in made for n in (1, 2)])
    return made
