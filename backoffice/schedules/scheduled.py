"""What a firing does when its message arrives: start a run over a selection, or the run that waited for its time."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_celery_beat.models import PeriodicTask

from backoffice.results.values.text import storable
from backoffice.runs import start
from backoffice.runs.database.bounded import TooSlow, bounded
from backoffice.runs.forms.reason import LONGEST as LONGEST_REASON
from backoffice.runs.models import Run
from backoffice.runs.registry import record_tasks

from . import owner
from .models import Firing
from .rules import permitted, relative, selection
from .rules.chosen import chosen_in_words

LONGEST = 60.0  # seconds for finding and noting the records: ten times what a million take


def start_run(
    task: str, chosen: Mapping[str, Any], parameters: Any = None, *, schedule_name: str, firing_id: int | None
) -> str:
    """Start a run as the schedule says; the same firing twice gives the same run. Raises ValueError, in words."""
    firing = Firing.objects.select_related("schedule").filter(pk=firing_id).first() if firing_id else None
    if firing and firing.schedule is None and not firing.run_id:
        return note(firing_id, _("The schedule was deleted before a worker took its message."))
    schedule = (firing and firing.schedule) or PeriodicTask.objects.filter(name=schedule_name or None).first()
    if schedule and not (firing and firing.run_id) and (reason := owner.objection(schedule, firing)):
        owner.turn_off(schedule, firing, reason)
        return note(firing_id, reason)
    try:
        run = begin(task, chosen, parameters, schedule, schedule_name, firing)
    except start.EmptySelection as nothing:
        return note(firing_id, str(nothing))
    except (TooSlow, ValueError) as error:
        note(firing_id, str(error))
        raise ValueError(str(error)) from error
    text = ngettext("Started run %(run)s over %(n)s record.", "Started run %(run)s over %(n)s records.", run.total)
    return note(firing_id, text % {"run": run.pk, "n": f"{run.total:,}"}, run)


def begin(
    task: str,
    chosen: Mapping[str, Any],
    parameters: Any,
    schedule: PeriodicTask | None,
    schedule_name: str,
    firing: Firing | None,
) -> Run:
    record_task = record_tasks().get(task)
    if record_task is None:
        raise ValueError(_("There is no record task called “%(name)s”.") % {"name": task})
    whose = owner.responsible(schedule, firing)[0] if schedule else None
    moment = relative.moment_of(schedule, firing.due_at if firing else None)
    records = selection.records(record_task.record_model, dict(chosen), whose, moment)
    with bounded(LONGEST):
        return start.start_requested(
            records,
            record_task,
            start.RunRequest(
                requester=whose or firing.by if firing and firing.by else None,  # who pressed Run now
                source=Run.Source.SCHEDULE,
                selection=chosen_in_words(selection.describe(chosen), record_task.record_model, moment),
                parameters=permitted.parameters_in({"parameters": parameters}),
                reason=reason_of(schedule, schedule_name) if record_task.asked_reason else "",
                schedule=schedule,
                schedule_name=schedule_name,
                only_needed=bool(chosen.get("only_needed")),
                form_token=f"firing-{firing.pk}" if firing else None,
            ),
        )


def reason_of(schedule: PeriodicTask | None, name: str) -> str:
    """What the schedule is for, as its owner wrote it."""
    said = schedule.description.strip() if schedule else ""
    return storable(said, LONGEST_REASON) or _("Schedule “%(name)s”") % {"name": name}


def start_due(run_id: Any) -> str:
    """Start a run whose time has come. Raises ValueError for an id that is none."""
    if isinstance(run_id, bool) or not isinstance(run_id, int):
        raise ValueError(_("run_id must be a number, not %(value)r.") % {"value": run_id})
    if start.activate(run_id):
        return _("Started run %(run)s.") % {"run": run_id}
    if reason := Run.objects.filter(pk=run_id).values_list("cancel_reason", flat=True).first():
        return reason
    return _("Run %(run)s was started, cancelled or deleted before.") % {"run": run_id}


def note(firing_id: int | None, sentence: str, run: Run | None = None) -> str:
    """Write the outcome beside the firing, for the history page."""
    if firing_id:
        Firing.objects.filter(pk=firing_id).update(note=sentence, run=run)
    return sentence
