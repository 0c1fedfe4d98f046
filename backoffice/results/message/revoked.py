"""A call revoked before its time keeps its name and arguments, whichever worker heard of it first.

Celery stores REVOKED without the request; the worker that holds the message knows it.
"""

from typing import Any

from celery import states
from celery.utils.functional import maybe_list
from celery.worker import control
from celery.worker import state as worker_state


@control.control_command(variadic="task_id", signature="[id1 [id2 [... [idN]]]]")
def revoke(state: Any, task_id: Any, terminate: bool = False, signal: Any = None, **kwargs: Any) -> Any:
    """Revoke task by task id (or list of ids)."""
    answer = control.revoke(state, task_id, terminate, signal, **kwargs)
    for each in maybe_list(task_id) or ():
        complete(each)
    return answer


def complete(task_id: str) -> None:
    request = worker_state.requests.get(task_id)
    if request is not None and request.task.backend.get_state(task_id) == states.REVOKED:
        request.task.backend.mark_as_revoked(task_id, "revoked", request=request._context)
