from backoffice.runs.seam import Outcome, record_task
from tests.shipping.models import Shipment

PRICED = ("price", "processed")


@record_task("shipping.Shipment", writes=PRICED)
def price_one_by_one(instance: Shipment) -> Outcome:
    """As long as nobody has thought of the carriers."""
    return instance.process()


@record_task("shipping.Shipment", writes=PRICED, select_related=("carrier__tariff",))
def price(instance: Shipment) -> Outcome:
    return instance.process()


@record_task(
    "shipping.Shipment",
    reads=("weight", "carrier__surcharge", "carrier__tariff__rate", "sealed_by__number"),
    writes=PRICED,
    select_related=("carrier",),
)
def price_again(instance: Shipment) -> Outcome:
    """Once more where what it reads of other rows was changed meanwhile."""
    return instance.process()


@record_task("shipping.Shipment", reads=("number",), writes=("weight", "processed"), prefetch_related=("parcels",))
def weigh(instance: Shipment) -> Outcome:
    return instance.weigh()


@record_task("shipping.Shipment", reads=("number",), writes=("processed",))
def tick(instance: Shipment) -> Outcome:
    """Looks at nothing else."""
    instance.processed = True
    return Outcome("ticked", instance.number)


@record_task(
    "shipping.Shipment", reads=("weight", "carrier__surcharge", "carrier__tariff__rate"), writes=PRICED,
    select_related=("carrier",), writes_elsewhere=True, max_retries=1,
)  # fmt: skip
def charge(instance: Shipment) -> Outcome:
    return instance.charge()


@record_task("shipping.Shipment", writes=PRICED, select_related=("carrier__tariff",))
def charge_carelessly(instance: Shipment) -> Outcome:
    """The same by a task that does not say so."""
    return instance.charge()
