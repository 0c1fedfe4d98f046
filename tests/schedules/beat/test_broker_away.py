"""A Redis that refuses or does not answer holds up no schedule, costs beat no leadership, and loses no firing."""

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest

from backoffice.schedules.models import Firing, Lease, Missed, Overlap, ScheduleState, now
from tests.faults.actors import Stage, meanwhile
from tests.schedules import factories
from tests.schedules.beat.beats import turn_off_and_settle
from tests.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
AWAY = 12  # seconds
LATEST = 4.5  # seconds from a due time to its decision: one try of three, and the machine's own


@pytest.fixture
def stage(transactional_db):
    directory = Path(os.environ["BACKOFFICE_TEST_DIR"]) / f"stage-{os.urandom(4).hex()}"
    directory.mkdir()
    with Stage(directory) as found:
        yield found


def every_second(name: str) -> None:
    row = factories.row(name, task="records.tasks.add", args="[2, 3]", interval=factories.interval(1))
    ScheduleState.objects.create(schedule=row, missed=Missed.EACH, overlap=Overlap.ALLOW)


def sent_firings(stage) -> Counter:
    return Counter(json.loads(m)["headers"].get("backoffice-firing") for m in stage.client.lrange("tasks", 0, -1))


@pytest.mark.parametrize("how", ["frozen", "gone"])
def test_a_broker_that_is_away_holds_up_no_schedule_and_nothing_is_lost_or_sent_twice(how, stage):
    for name in ("One", "Two", "Three", "Four"):
        every_second(name)
    stage.beat()
    wait_until(lambda: Firing.objects.filter(state="sent").count() > 8, 40)
    stage.redis.freeze() if how == "frozen" else stage.redis.kill()
    began, holder = now(), Lease.current().holder
    with meanwhile(stage.redis.thaw if how == "frozen" else stage.start_redis):
        while (now() - began).total_seconds() < AWAY:
            assert Lease.current().holder == holder
            assert Lease.current().until > now(), "another beat would have taken over"
            time.sleep(0.05)
    ended = now()
    turn_off_and_settle()
    meantime = list(Firing.objects.filter(due_at__gt=began, due_at__lt=ended))
    assert len(meantime) > 4 * (AWAY - 3)
    assert max((firing.fired_at - firing.due_at).total_seconds() for firing in meantime) < LATEST
    sent = sent_firings(stage)
    assert {firing.pk: sent[firing.pk] for firing in meantime} == {firing.pk: 1 for firing in meantime}
