import os
import time

from backoffice.runs.models import Outcome
from backoffice.runs.record_task import record_task
from records.models import YourModel


@record_task("records.YourModel", writes=("processed",))
def slow(instance: YourModel) -> Outcome:
    """A record that waits for somebody else, say a web service."""
    time.sleep(float(os.environ["BENCH_SLEEP"]))
    instance.processed = True
    return Outcome("done")
