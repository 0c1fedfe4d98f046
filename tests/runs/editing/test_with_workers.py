"""A bulk edit by a real worker, which has the admin's word on which fields there are; and taking it back."""

import pytest

from backoffice.runs.seam import State, start, undo
from backoffice.testing import work_off, worker
from records.models import YourModel
from tests import factories
from tests.freight.factories import shipment
from tests.freight.models import Shipment
from tests.freight.tasks import edit_shipment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.processes
def test_a_worker_sets_what_was_chosen_in_a_run_and_in_a_call():
    for number in range(30):
        shipment(f"S{number}", contact="a@b.cc", fragile=number < 3)
    with worker():
        run = start(Shipment.objects.all(), "edit_shipment", parameters={"weight": "31", "contact": ""}).wait(30)
        assert (run.state, run.succeeded, run.failed) == (State.FAILURE, 27, 3)
        assert {each.error for each in run.outcomes() if each.error} == {
            "Refused: What is fragile weighs 30 kg at most."
        }
        first = Shipment.objects.earliest("pk")
        assert edit_shipment.delay(first.pk, weight="7").get(timeout=20) == f"Processed instance {first.pk}"
    assert list(Shipment.objects.order_by("pk").values_list("weight", "contact")[:4]) == [
        (7, "a@b.cc"), (2.5, "a@b.cc"), (2.5, "a@b.cc"), (31, ""),
    ]  # fmt: skip


def test_it_is_taken_back_with_what_it_took_back():
    record = factories.processed(town="Berlin", email="a@b.cc")
    before = YourModel.objects.values().get()
    run = work_off(start([record.pk], "edit_yourmodel", parameters={"town": "Bonn", "email": ""}))
    assert not YourModel.objects.get().processed
    assert work_off(undo(run, "anna")).succeeded == 1
    after = YourModel.objects.values().get()
    assert after.pop("updated_at") > before.pop("updated_at")  # the undo saved it, too
    assert after == before


def test_an_edit_of_what_no_processing_reads_is_no_reason_to_process_again_after_that():
    record = factories.processed(town="Berlin")
    run = work_off(start([record.pk], "edit_yourmodel", parameters={"town": "Bonn"}))
    YourModel.objects.update(updated_at="2026-01-01T00:00:00Z")
    work_off(undo(run, "anna"))
    assert YourModel.objects.values_list("town", "processed").get() == ("Berlin", True)
