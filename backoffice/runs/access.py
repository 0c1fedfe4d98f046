"""Who may see, cancel and retry which run."""

from typing import Any

from django.contrib.auth import get_permission_codename
from django.db.models import Model

from .models import Run
from .registry import find


def may_see(user: Any, run: Run) -> bool:
    """Asked of the cheaper answer first: one's own run needs no look at permissions."""
    return run.requester_id == user.pk or user.has_perm("runs.view_run")


def may_see_records(user: Any, model: type[Model]) -> bool:
    """What they are called is told to those who may look at them: having started a run is not that."""
    opts = model._meta
    verbs = (f"{opts.app_label}.{get_permission_codename(verb, opts)}" for verb in ("view", "change"))
    return user is not None and any(map(user.has_perm, verbs))


def may_cancel(user: Any, run: Run) -> bool:
    return run.finished_at is None and run.cancelled_at is None and _may(user, run, "runs.cancel_run")


def may_retry(user: Any, run: Run) -> bool:
    """One's own run, or with the permission anybody's; and whoever retries must be allowed to start the task."""
    if not run.failed or not _may(user, run, "runs.retry_run"):
        return False
    try:
        needed = find(run.task.name).permission
    except LookupError:
        return False
    return not needed or user.has_perm(needed)


def _may(user: Any, run: Run, permission: str) -> bool:
    return may_see(user, run) and (run.requester_id == user.pk or user.has_perm(permission))
