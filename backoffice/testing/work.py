"""Without a worker."""

from backoffice.runs.engine import chunks
from backoffice.runs.models import Chunk, Run
from backoffice.runs.registry import find


def work_off(run: Run, limit: int = 1_000) -> Run:
    """Do in this process what workers would, here and now: take chunk after chunk until none is waiting.

    Works inside the test's transaction and without Redis. Returns the run, read anew. Records that wait for another
    try stay RETRY; a run for later, and one that was cancelled, has nothing waiting. `limit`: chunks taken at most.
    """
    task = find(run.task.name)
    last = None
    for _ in range(limit):
        chunk = Chunk.objects.unclaimed().filter(run=run).order_by("pk").first()
        if chunk is None or chunk.pk == last:  # nobody can claim it: the run was called off
            break
        last = chunk.pk
        chunks.work(task, chunk.pk)
    run.refresh_from_db()
    return run
