from backoffice.runs.models import Outcome
from backoffice.runs.record_task import record_task

from .models import Probe


@record_task(
    "probe.Probe", reads=("text", "behaviour", "effects"), writes=("result", "effects", "processed"), max_retries=2
)
def poke(instance: Probe) -> Outcome:
    return instance.process()


@record_task(
    "probe.Probe",
    reads=("text", "behaviour", "effects"),
    writes=("result", "effects", "processed"),
    soft_time_limit=2,
    time_limit=4,
)
def poke_briefly(instance: Probe) -> Outcome:
    return instance.process()
