"""Who is alive: by the database's clock, whatever a machine's own says and however long a record takes."""

import shutil
import subprocess

import pytest

from backoffice.runs.models import Chunk, RunItem, State
from tests.faults.counts import assert_all_succeeded, the_run, wait_finished
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
QUICK_LEASE = {"TEST_LEASE_SECONDS": "3"}
LONG = "10"  # seconds: three leases
UNSHARE = ["unshare", "--pid", "--fork", "--kill-child"]


@pytest.mark.parametrize(
    ("pool", "ahead"),
    [("prefork", "-45"), ("solo", "0"), ("threads", "0"), ("solo", "-45"), ("threads", "45")],
    ids=["clock behind", "solo", "threads", "solo with its clock behind", "threads with their clock ahead"],
)
def test_a_worker_that_lives_is_not_taken_for_dead(stage, pool, ahead):
    stage.settings |= QUICK_LEASE
    probes(2, behaviour="slow")
    stage.beat()
    stage.control()
    stage.worker("-Q", "records", "-P", pool, PROBE_SECONDS=LONG, TEST_CLOCK_AHEAD=ahead)
    stage.click()
    assert_all_succeeded(wait_finished(the_run()), 2)
    assert set(RunItem.objects.values_list("attempts", "deaths")) == {(1, 0)}


def test_a_container_started_anew_under_the_same_name_and_process_id_is_another_worker(stage):
    """A record that kills all of it, as the kernel's out-of-memory killer may, is charged with each death."""
    if not shutil.which("unshare") or subprocess.run([*UNSHARE, "true"], check=False).returncode:
        pytest.skip("NO NAMESPACES here: unshare --pid needs to be allowed")
    stage.settings |= QUICK_LEASE
    (killer,) = probes(1, behaviour="slow")
    stage.beat()
    stage.control()
    stage.click()
    for deaths in range(1, 4):
        worker = stage.contained_worker("-Q", "records", PROBE_SECONDS="600")
        wait_until(lambda: Chunk.objects.exclude(claimed_at=None).exists(), 60, what="a claim")
        worker.kill()
        worker = stage.contained_worker("-Q", "control")  # back before the lease runs out
        wait_until(lambda deaths=deaths: RunItem.objects.get().deaths == deaths, 60, what="a death charged")
        worker.kill()
    run = wait_finished(the_run())
    assert (run.failed, RunItem.objects.get().state) == (1, State.FAILURE)
    assert Probe.objects.get(pk=killer.pk).effects == 0
