from backoffice.runs.seam import Outcome, bulk_edit, record_task
from tests.second.models import Invoice


@record_task("second.Invoice", writes=("gross", "processed"), permission="second.change_invoice")
def tax_invoice(instance: Invoice) -> Outcome:
    return instance.process()


edit_invoice = bulk_edit("second.Invoice")
