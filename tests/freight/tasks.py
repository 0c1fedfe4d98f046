from backoffice.runs.seam import Outcome, bulk_edit, record_task
from tests.freight.models import Shipment


@record_task("freight.Shipment", writes=("price", "processed"), permission="freight.change_shipment")
def price_freight(instance: Shipment) -> Outcome:
    return instance.process()


edit_shipment = bulk_edit("freight.Shipment")
