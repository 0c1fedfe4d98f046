"""What tasks are called on pages: the label their code gives them by `label=`, else the last part of their name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import BooleanField, Model
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import parameters
from .models import Run
from .registry import RecordTask, registered

YES_OR_NO = {"1": gettext_lazy("yes"), "0": gettext_lazy("no")}
BY_HAND = re.compile(r"\d+ ")  # so many of them: a number says nothing that the total does not


def task_label(name: str) -> str:
    """For example "Process". Of a task whose code is not here, the last part of its name in words."""
    label = getattr(registered().get(name), "label", "")
    return str(label or capfirst(name.rpartition(".")[2].replace("_", " ")) or name)


def choices(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names and labels in order of these; of tasks with the same label the name is told, too."""
    labels = {name: task_label(name) for name in names}
    alike = list(labels.values())
    shown = [(name, f"{label} ({name})" if alike.count(label) > 1 else label) for name, label in labels.items()]
    return sorted(shown, key=lambda each: each[1].lower())


def value_label(model: type[Model], name: str, value: str) -> str:
    """What lists show for this value of a field with choices; any other value as it is."""
    field = {field.name: field for field in model._meta.fields}.get(name)
    choices = YES_OR_NO if isinstance(field, BooleanField) else dict(getattr(field, "flatchoices", ()))
    return str(choices.get(value, value))


def skip_words(task: str, reasons: Mapping[str, int]) -> dict[str, int]:
    """Why records are not in a run of this task: of the codes that are stored, the words."""
    unfit = getattr(registered().get(task), "not_eligible", "") or _("not eligible")
    words = {
        "unfit": str(unfit),
        "unneeded": _("not in need of it"),
        "busy": _("already in an active run"),
        "gone": _("not found at the start: deleted, or no longer matching the list’s filter"),
    }
    return {words.get(reason, reason): number for reason, number in reasons.items()}


def run_title(run: Run) -> str:
    """Where it is one of many about the same record."""
    return _("Run %(number)d: %(task)s") % {"number": run.pk, "task": what_it_does(run)}


def run_name(run: Run) -> str:
    """What it does to what: "Process: 84 records, review, NL"."""
    number = ngettext("%(n)s record", "%(n)s records", run.total) % {"n": f"{run.total:,}"}
    what = _the_record(run) or ", ".join([number, *_selected(run)])
    return _("%(task)s: %(what)s") % {"task": what_it_does(run), "what": what}


def run_heading(run: Run) -> str:
    """Its name and number: "Run 7 · Process: 84 records, review, NL"."""
    return _("Run %(number)d · %(name)s") % {"number": run.pk, "name": run_name(run)}


def _selected(run: Run) -> Iterator[str]:
    """Of the selection what tells it from others, and is not said by the rest of the name."""
    if run.retry_of_id:
        yield _("failed in run %d") % run.retry_of_id
    elif not run.is_undo and run.selection and run.selection == _all_of(run):
        yield _("all")
    elif not run.is_undo and run.selection and not BY_HAND.match(run.selection):
        told = (part.partition(": ")[2] or part for part in run.selection.split("; "))
        yield Truncator(", ".join(told)).chars(60)


def _the_record(run: Run) -> str:
    """What the one is called that a run was started from: "BP-00020 Acme"."""
    if run.total != 1 or run.is_undo or run.retry_of_id or not run.selection:
        return ""
    kind, name = capfirst(str(_meta_of(run).verbose_name)), run.selection
    return Truncator(name.removeprefix(f"{kind} ")).chars(60) if name.startswith(f"{kind} ") else ""


def _all_of(run: Run) -> str:
    return everything(_meta_of(run))


def everything(records: Any) -> str:
    """A whole list, without a filter."""
    return _("All %(records)s") % {"records": records.verbose_name_plural}


def _meta_of(run: Run) -> Any:
    kind = ContentType.objects.get_for_id(run.record_type_id)  # which is kept, as run.record_type is not
    return (kind.model_class() or Run)._meta  # of a model that is gone, none of its words


def what_it_does(run: Run) -> str:
    """Its task, or that it takes back what another run did, which may be an undo itself."""
    told = {"task": task_label(run.task.name), "run": run.undoes_id}
    undo, redo = _("Undo of “%(task)s”"), _("Redo of “%(task)s”")
    if run.undoes_id:
        undo, redo = _("Undo of run %(run)d, “%(task)s”"), _("Redo of what run %(run)d undid, “%(task)s”")
    return {Run.Purpose.UNDO: undo, Run.Purpose.REDO: redo}.get(Run.Purpose(run.purpose), "%(task)s") % told


def undo_title(run: Run) -> str:
    """What it is called to take this run back."""
    told = {"task": task_label(run.task.name), "run": run.pk}
    if run.purpose == Run.Purpose.UNDO:
        return _("Redo what run %(run)d undid, “%(task)s”") % told
    return _("Undo run %(run)d, “%(task)s”") % told


def asked_words(run: Run) -> list[tuple[str, str]]:
    """The run's parameters, each with its label."""
    task = registered().get(run.task.name)
    if not run.parameters or not isinstance(task, RecordTask):
        return parameters.raw_words(run.parameters)
    return parameters.words(task, run.parameters)


def asked_plainly(run: Run) -> dict[str, Any]:
    """For the activity log: the run that it undoes, the reason and the parameters, where there are any."""
    said = {
        "undoes": run.undoes_id,
        "reason": run.reason,
        "parameters": parameters.shown(run.task.name, run.parameters),
    }
    return {name: value for name, value in said.items() if value}
