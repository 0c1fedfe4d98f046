"""What is asked before a run, and what was answered: the task's parameters, and why."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import CHECKBOX_CLASSES, INPUT_CLASSES, SELECT_CLASSES, TEXTAREA_CLASSES

from ... import parameters
from ...database.bounded import TooSlow, bounded
from ...forms import reason
from ...forms.partial import Partial
from ...registry import RecordTask
from . import choosing
from .click import REASON

CONFIRMED = "confirmed"
LOOKING = 2.0  # seconds, for what is offered


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=reason.LONGEST, required=False)

    def __init__(self, task: RecordTask, data: Any = None) -> None:
        super().__init__(data)
        field = self.fields[REASON]
        field.required = task.asked_reason == "required"
        field.error_messages["required"] = _("Say why: the run keeps it.")
        field.help_text = "" if field.required else _("May be left empty.")


class Answers:
    """The forms of one click; empty ones where nothing was answered yet. Raises BadParameters where a task's form fails
    itself."""

    def __init__(self, task: RecordTask, data: Any, *, by: str = CONFIRMED) -> None:
        """`by`: the input that only the asking page has."""
        self.task, self.are_given = task, by in data
        self.given = parameters.of_page(task, data) if self.are_given and task.parameters is not None else {}
        sent = data if self.are_given else None
        self.forms: list[forms.Form] = []
        if task.parameters is not None:
            self.forms.append(parameters.made(task, sent))
            choosing.shorten(self.forms[0], by_search=True)
        if task.asked_reason:
            self.forms.append(ReasonForm(task, sent))
        self._good = self.are_given and all([parameters.is_good(task, form) for form in self.forms])
        self._dress()

    def are_good(self) -> bool:
        return self._good

    @property
    def submitted(self) -> parameters.Submitted:
        return self.given

    @property
    def reason(self) -> str:
        found = (
            form.cleaned_data.get(REASON, "") for form in self.forms if isinstance(form, ReasonForm) and form.is_valid()
        )
        return str(next(found, ""))

    def offer(self, records: Any, query: Mapping[str, str]) -> None:
        """A form that knows how offers what these records have; where that takes too long, what it offers anyway."""
        for form in self.forms:
            if hasattr(form, "offer"):
                with suppress(TooSlow), bounded(LOOKING):
                    form.offer(records, query)

    @property
    def media(self) -> forms.Media:
        return sum((form.media for form in self.forms), forms.Media())

    def _dress(self) -> None:
        """The theme's looks, and the cursor in what is to be filled first: what is wrong, if anything is."""
        for form in self.forms:
            dress(form)
        bound = [form[name] for form in self.forms for name in form.fields if not form[name].is_hidden]
        wrong = [field for field in bound if self.are_given and field.errors]
        for field in (wrong or bound)[:1]:
            field.field.widget.attrs["autofocus"] = True


def dress(form: forms.Form) -> None:
    """The theme's looks; and where one field has several inputs, a name for each."""
    choosing.shorten(form)
    if isinstance(form, Partial):
        form.tick_classes = " ".join(CHECKBOX_CLASSES)
    form.label_suffix = ""
    form.required_css_class = "run-required"  # type: ignore[attr-defined]  # Django asks for it
    for field in form:
        _name_parts(field)
    for widget in _widgets(form):
        widget.attrs["class"] = f"{' '.join(_classes(widget))} {widget.attrs.get('class', '')}".strip()


def _name_parts(field: forms.BoundField) -> None:
    widget = field.field.widget
    if not isinstance(widget, forms.MultiWidget):
        return
    is_moment = isinstance(widget, forms.SplitDateTimeWidget)
    parts = [_("date"), _("time")] if is_moment else map(str, range(1, len(widget.widgets) + 1))
    for each, part in zip(widget.widgets, parts, strict=True):
        each.attrs.setdefault("aria-label", f"{field.label}: {part}")


def _widgets(form: forms.Form) -> Iterator[forms.Widget]:
    for field in form.fields.values():
        yield from getattr(field.widget, "widgets", [field.widget])


def _classes(widget: forms.Widget) -> list[str]:
    looks: list[tuple[Any, list[str]]] = [
        ((forms.RadioSelect, forms.CheckboxSelectMultiple), []),
        (forms.CheckboxInput, CHECKBOX_CLASSES),
        (forms.Select, SELECT_CLASSES),
        (forms.Textarea, TEXTAREA_CLASSES),
        (forms.widgets.Input, INPUT_CLASSES),
    ]
    return next((classes for kind, classes in looks if isinstance(widget, kind)), [])
