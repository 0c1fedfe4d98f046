"""What a filled form would do: in words, the next firings, the records that match now."""

import json
from typing import Any

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_celery_beat.models import PeriodicTask

from backoffice.runs.database.bounded import TooSlow, bounded
from backoffice.runs.preview import counts
from backoffice.runs.registry import record_tasks

from ..rules import permitted, relative, selection, timing, words
from ..rules.chosen import chosen_in_words
from . import record_list
from .form_timing import TIMING
from .forms import ScheduleForm

COUNTING = 5.0  # seconds: a preview follows the typing

REMARKS = {
    "moved": _("moved: this hour does not exist on that day"),
    "twice": _("this hour comes twice on that day; it fires the first time"),
}


def of_form(form: ScheduleForm) -> dict[str, Any]:
    form.is_valid()
    schedule = form.instance
    timed = not any(form.has_error(field) for field in TIMING)
    called = not (form.has_error("work") or form.has_error("selection"))
    return {
        "name": words.suggested_name(schedule) if timed and called else "",
        "which": which(schedule) if called else "",
        "change": record_list.choose_url(schedule, form.user) if called else "",
        "sentence": sentence(schedule) if timed else "",
        "firings": firings(schedule) if timed and schedule.enabled else [],
        "matching": "" if form.has_error("selection") or form.has_error("work") else matching(schedule, form.user),
        "list": "" if form.has_error("selection") else record_list.url_of(schedule, form.user),
        "errors": errors(form),
    }


def sentence(schedule: PeriodicTask) -> str:
    when = capfirst(words.when(schedule))
    return when if schedule.enabled else _("%(when)s, once it is on. It is off: it does not fire.") % {"when": when}


def which(schedule: PeriodicTask) -> str:
    """The filter in words, where one is asked."""
    kwargs = permitted.loads(schedule.kwargs, {})
    task = record_tasks().get(str(kwargs.get("task"))) if schedule.task == permitted.START_RUN else None
    return capfirst(chosen_in_words(selection.describe(kwargs), task.record_model)) if task else ""


def errors(form: ScheduleForm) -> dict[str, list[str]]:
    """By field and with its label: the preview stands apart from the fields. What is not filled in yet is no error."""
    found = {name: texts for name, texts in form.errors.items() if name != "name" and form.data.get(name) != ""}
    told = {name: [f"{form.fields[name].label}: {text}" for text in texts] for name, texts in found.items()}
    if "parameters" in told:
        told["parameters"] = list(form.fields["parameters"].errors_of_filled())
    return told


def firings(schedule: PeriodicTask) -> list[dict[str, str]]:
    return [
        {
            "at": due.utc.isoformat(),
            "local": f"{due.local:%a %Y-%m-%d %H:%M:%S %Z}",
            "utc": "" if due.local.tzname() == "UTC" else f"{due.utc:%Y-%m-%d %H:%M:%S} UTC",
            "remark": str(REMARKS.get(due.remark, "")),
        }
        for due in timing.upcoming(schedule, timezone.now(), 1 if schedule.one_off else 10)
    ]


def matching(schedule: PeriodicTask, user: Any) -> str:
    """How many records match now, and which of them a run would skip; nothing for those who may not look at them."""
    if schedule.task != permitted.START_RUN:
        return ""
    kwargs = json.loads(schedule.kwargs)
    task = record_tasks().get(kwargs["task"])
    if task is None or not selection.may_look(task.record_model, user):
        return ""
    try:
        moment = relative.moment_of(schedule)
        records = selection.records(task.record_model, kwargs, user, moment)
        with bounded(COUNTING):
            found = counts.preview(records, task)
    except (selection.BadSelection, TooSlow) as error:
        return str(error)
    which = chosen_in_words(selection.describe(kwargs), task.record_model, moment) or _("all there are")
    text = ngettext("%(n)s record matches now: %(which)s.", "%(n)s records match now: %(which)s.", found.matched)
    skipped = "; ".join(f"{number:,} {reason}" for reason, number in found.skipped.items())
    told = text % {"n": f"{found.matched:,}", "which": which}
    if found.needed is not None:
        need = ngettext("%(n)s of them needs it.", "%(n)s of them need it.", found.needed)
        told = f"{told} {need % {'n': f'{found.needed:,}'}}"
    return f"{told} {_('Skipped: %(reasons)s.') % {'reasons': skipped}}" if skipped else told
