"""Records a second with other rows loaded or asked for one by one; the figures of docs/your-own-model.md.

python -m pytest tests/shipping/test_speed.py -s     # on SQLite; with DATABASE_URL on PostgreSQL
"""

import statistics

import pytest
from django.db import connection

from backoffice.runs.start import start
from tests.shipping.factories import shipments
from tests.shipping.models import Shipment

ROUNDS = 3
RECORDS = {"tick": 5_000, "price_one_by_one": 5_000, "price": 5_000, "price_again": 5_000, "charge": 500}


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_rows_that_are_loaded_with_their_records_are_quicker_than_one_by_one(worker):
    made = shipments(max(RECORDS.values()))
    start([each.pk for each in made[:250]], "tick").wait(timeout=60)  # warm
    speeds: dict[str, list[float]] = {task: [] for task in RECORDS}
    for _ in range(ROUNDS):
        for task, number in RECORDS.items():
            run = start(Shipment.objects.filter(pk__lt=made[0].pk + number), task)
            run.wait(timeout=300)
            assert run.succeeded == number
            speeds[task].append(number / (run.finished_at - run.created_at).total_seconds())
    speed = {task: statistics.median(found) for task, found in speeds.items()}
    print(f"\n{connection.vendor}:", ", ".join(f"{task} {each:,.0f}/s" for task, each in speed.items()))
    assert speed["price"] > 1.3 * speed["price_one_by_one"]
