from backoffice.runs.models import Outcome
from backoffice.runs.record_task import record_task
from tests.second.models import Invoice


@record_task("second.Invoice", writes=("gross", "processed"), permission="second.change_invoice")
def tax_invoice(instance: Invoice) -> Outcome:
    return instance.process()
