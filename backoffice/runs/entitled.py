"""Whoever asked for something that comes later is asked again at its time: still here, and still permitted?"""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.results import activity

from .models import Run
from .registry import find


def absence(user: Any, name: str) -> str:
    """Why this person could do nothing here by hand any more; "" if they could. `user` None: deleted."""
    who = {"who": name}
    if user is None:
        return _("%(who)s asked for it, and has been deleted since.") % who
    if not user.is_active:
        return _("%(who)s asked for it, and has been deactivated since.") % who
    return "" if user.is_staff else _("%(who)s asked for it, and is no longer staff.") % who


def turned_down(run_id: int) -> bool:
    """Cancel a planned run whose requester could not start it by hand any more. True when it was cancelled."""
    planned = Run.objects.filter(pk=run_id, activated_at=None, cancelled_at=None, finished_at=None)
    run = planned.select_related("task", "requester").first()
    if run is None or not (reason := objection_to(run)):
        return False
    reason += " " + _("Whoever may start it selects the records and plans it anew.")
    with transaction.atomic():
        values = {"cancelled_at": timezone.now(), "cancelled_by": activity.SYSTEM, "cancel_reason": reason}
        if planned.update(**values):
            activity.log(None, "run.cancelled", run, reason=reason, requester=run.requester_name)
    return True


def objection_to(run: Run) -> str:
    """Why it must not start; "" if it may."""
    if run.source != Run.Source.ACTION or not run.requester_name:
        return ""  # asked for by a program or from a shell: nobody whose rights could have changed
    if gone := absence(run.requester, run.requester_name):
        return gone
    needed = find(run.task.name).permission
    if needed and not (run.requester and run.requester.has_perm(needed)):
        who = {"who": run.requester_name, "permission": needed}
        return _("%(who)s asked for it, and no longer has the permission “%(permission)s”.") % who
    return ""
