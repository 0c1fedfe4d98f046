"""Who may start which task; who may see, cancel and retry which run; and whether whoever asked for something later
could still ask for it.
"""

from typing import Any

from django.contrib.auth import get_permission_codename
from django.db.models import Model
from django.utils.translation import gettext as _

from .labels import task_label
from .models import Run, sees_schedules
from .registry import RecordTask, find


def may_start(user: Any, task: RecordTask | str) -> bool:
    """Whether this person may start it: what every door asks. A task that names no permission is the superuser's
    alone, and one that is not there is nobody's."""
    try:
        needed = (find(task) if isinstance(task, str) else task).permission
    except LookupError:
        return False
    return bool(user.has_perm(needed) if needed else user.is_active and user.is_superuser)


def refusal(user: Any, task: RecordTask) -> str:
    """Why this person may not start it; "" if they may."""
    if may_start(user, task):
        return ""
    who = {"who": user, "task": task_label(task.name), "permission": task.permission}
    if not task.permission:
        return _("%(who)s may not start “%(task)s”: it names no permission, so only superusers may.") % who
    return _("%(who)s may not start “%(task)s”: that takes the permission “%(permission)s”.") % who


def unexplained(task: RecordTask, source: str, reason: str) -> str:
    """What is wrong where a reason is asked for and none is given; "" if nothing is. A retry has its run's, and a
    schedule tells what it is for."""
    if task.asked_reason != "required" or reason.strip() or source not in (Run.Source.ACTION, Run.Source.COMMAND):
        return ""
    return _("“%(task)s” is started with a reason: say why.") % {"task": task_label(task.name)}


def may_see(user: Any, run: Run) -> bool:
    """As `visible_to`. Asked of the cheaper answer first: one's own run needs no look at permissions."""
    return (
        run.requester_id == user.pk or user.has_perm("runs.view_run") or (run.is_of_schedules and sees_schedules(user))
    )


def may_see_records(user: Any, model: type[Model]) -> bool:
    """What they are called is told to those who may look at them: having started a run is not that."""
    opts = model._meta
    verbs = (f"{opts.app_label}.{get_permission_codename(verb, opts)}" for verb in ("view", "change"))
    return user is not None and any(map(user.has_perm, verbs))


def cancels(user: Any, run: Run) -> bool:
    """One's own run, or with the permission anybody's; whether there is anything left to cancel or not."""
    return _may(user, run, "runs.cancel_run")


def may_cancel(user: Any, run: Run) -> bool:
    return run.finished_at is None and run.cancelled_at is None and cancels(user, run)


def retries(user: Any, run: Run) -> bool:
    """As `cancels`; and whoever retries must be allowed to start the task."""
    return _may(user, run, "runs.retry_run") and may_start(user, run.task.name)


def may_retry(user: Any, run: Run) -> bool:
    return bool(run.failed) and retries(user, run)


def cancel_refusal(user: Any, run: Run) -> str:
    """Why this person may not cancel it; "" if they may, whatever its state."""
    return "" if cancels(user, run) else _refused(user, run, "runs.cancel_run")


def retry_refusal(user: Any, run: Run) -> str:
    """As `cancel_refusal`."""
    return "" if retries(user, run) else _refused(user, run, "runs.retry_run")


def _refused(user: Any, run: Run, permission: str) -> str:
    who = {"who": user, "run": run.pk, "permission": permission, "task": task_label(run.task.name)}
    if not may_see(user, run):
        return _("%(who)s may not see run %(run)d.") % who
    if not _may(user, run, permission):
        return _("%(who)s did not ask for run %(run)d, and has not the permission “%(permission)s”.") % who
    return _("%(who)s may not start “%(task)s” again.") % who


def may_dismiss(user: Any, run: Run) -> bool:
    """Failures of deleted records: of one's own run, or with the permission of anybody's."""
    return bool(run.failed) and _may(user, run, "runs.add_dismissal")


def may_undo(user: Any, run: Run) -> bool:
    """With the permission, and that of the task; operators, who see their own runs, undo these."""
    return bool(may_see(user, run) and user.has_perm("runs.undo_run") and may_start(user, run.task.name))


def undo_refusal(user: Any, run: Run) -> str:
    """Why this person may not undo it; "" if they may."""
    if may_undo(user, run):
        return ""
    who = {"who": user, "run": run.pk, "task": task_label(run.task.name)}
    if not may_see(user, run):
        return _("%(who)s may not see run %(run)d.") % who
    if not user.has_perm("runs.undo_run"):
        return _("%(who)s may not undo runs: that takes the permission “runs.undo_run”.") % who
    return _("%(who)s may not undo run %(run)d: that takes the permission to start “%(task)s”.") % who


def absence(user: Any, name: str) -> str:
    """Why this person could do nothing here by hand any more; "" if they could. `user` None: deleted."""
    who = {"who": name}
    if user is None:
        return _("%(who)s asked for it, and has been deleted since.") % who
    if not user.is_active:
        return _("%(who)s asked for it, and has been deactivated since.") % who
    return "" if user.is_staff else _("%(who)s asked for it, and is no longer staff.") % who


def objection(run: Run) -> str:
    """Why it must not start; "" if it may."""
    if run.source != Run.Source.ACTION or not run.requester_name:
        return ""  # asked for by a program or from a shell: nobody whose rights could have changed
    if gone := absence(run.requester, run.requester_name):
        return gone
    task, who = find(run.task.name), {"who": run.requester_name}
    if may_start(run.requester, task):
        return ""
    if not task.permission:
        return _("%(who)s asked for it, and its task names no permission, so only superusers may start it.") % who
    who["permission"] = task.permission
    return _("%(who)s asked for it, and no longer has the permission “%(permission)s”.") % who


def _may(user: Any, run: Run, permission: str) -> bool:
    return may_see(user, run) and (run.requester_id == user.pk or user.has_perm(permission))
