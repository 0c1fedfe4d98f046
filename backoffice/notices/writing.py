"""Who is told what. A run is told to whoever asked for it, of a schedule to its owner.

Called by the outbox, at least once: the notice is unique by person and happening, and its mail is an event of its own,
written with it.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from backoffice.results import activity
from backoffice.runs.access import may_see
from backoffice.runs.engine import events
from backoffice.runs.models import Event, Run
from backoffice.schedules.models import ScheduleState

from . import mail
from .models import Notice, Preference


def run_ended(run: Run) -> None:
    user = run.requester if run.requester_id else owner_of(run.schedule_id)
    by_themselves = run.cancelled_at is not None and user and run.cancelled_by == activity.name_of(user)
    if hears(user) and may_see(user, run) and not by_themselves:
        is_failure = bool(run.failed or run.cancelled_at)
        write(user, run.uid, Notice.Kind.RUN_FINISHED, is_failure=is_failure, is_seen=is_seen(run), run=run)


def schedule_off(about: dict[str, Any]) -> None:
    user = get_user_model()._default_manager.filter(pk=about["owner"]).first()
    if hears(user):
        write(user, about["uid"], Notice.Kind.SCHEDULE_OFF, is_failure=True, about=about)


def owner_of(schedule_id: int | None) -> Any:
    owner = ScheduleState.objects.filter(pk=schedule_id).values("owner_id")
    return get_user_model()._default_manager.filter(pk__in=owner).first() if schedule_id else None


def hears(user: Any) -> bool:
    return user is not None and user.is_active and user.is_staff


def is_seen(run: Run) -> bool:
    """Started by a click over one record, which went well: its page has said so, and who corrects fifty hears it once
    each, not twice."""
    return run.total == 1 and run.succeeded == 1 and run.source == Run.Source.ACTION and run.due_at is None


def write(user: Any, key: str, kind: Notice.Kind, *, is_failure: bool, is_seen: bool = False, **about: Any) -> None:
    given = {"kind": kind, "is_failure": is_failure, **about}
    wishes, draft = Preference.of(user), Notice(user=user, **given)
    rings, mails = draft.is_wanted(wishes.bell), draft.is_wanted(wishes.email) and mail.reaches(user)
    if not (rings or mails):
        return
    given["read_at"] = None if rings and not is_seen else timezone.now()
    with transaction.atomic():
        notice, is_new = Notice.objects.get_or_create(user=user, key=key, defaults=given)
        if is_new and mails and not is_seen:
            events.write(Event.Kind.NOTICE, notice=notice.pk)
