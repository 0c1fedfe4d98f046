"""What the chosen record task asks for: the inputs of its form, inside the schedule form."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.runs import parameters
from backoffice.runs.pages.confirmation.answers import dress
from backoffice.runs.registry import RecordTask, record_tasks

from .form_changes import normal
from .form_values import RECORDS

OF = "asked_of"  # the input that says whose inputs a page had


class ParametersWidget(forms.Widget):
    """The inputs of another form, each with what is wrong with it."""

    asked: forms.Form | None = None
    task: RecordTask | None = None
    failed = ""

    @property
    def media(self) -> forms.Media:
        return self.asked.media if self.asked else forms.Media()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> parameters.Submitted:
        of_page = isinstance(data, MultiValueDict)  # code may give a form any mapping
        sent = data if of_page else MultiValueDict({key: [value] for key, value in data.items()})
        return parameters.of_page(self.task, sent) if self.task else {}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        answers = {"forms": [self.asked] if self.asked else []}
        context = {"answers": answers, "of": self.task and self.task.name, "failed": self.failed}
        return render_to_string("schedules/parameters.html", context)


class ParametersField(forms.Field):
    """Its value is what is kept with a schedule: as it was submitted."""

    widget: Any = ParametersWidget
    default_error_messages = {
        "unasked": gettext_lazy("This task asks for what stands here: fill it in."),
        "wrong": gettext_lazy("What it asks for is not filled in well: see what stands at each field."),
    }
    task: RecordTask | None = None  # that is chosen, if it asks for anything
    sent: forms.Form | None = None  # filled with what a page sent for it
    before: forms.Form | None = None  # filled with what is stored for it
    was: RecordTask | None = None
    stored: Mapping[str, Any] = {}
    is_another = False  # task than the stored one
    failed = ""  # how the form itself does

    def ask(self, work: str, data: Any, stored_work: str = "", stored: Mapping[str, Any] | None = None) -> None:
        """`stored`: of a schedule that is there, which does the `stored_work`."""
        self.task, self.was, self.stored = asking(work), asking(stored_work), stored or {}
        self.is_another = work != stored_work
        if self.task is None:
            return
        try:
            self.fill(self.task, data, None if self.is_another else stored)
        except parameters.BadParameters as error:
            self.failed, self.sent, self.before = str(error), None, None
        self.widget.task, self.widget.failed = self.task, self.failed

    def fill(self, task: RecordTask, data: Any, stored: Mapping[str, Any] | None) -> None:
        if data is not None and data.get(OF) == task.name:
            self.sent = parameters.made(task, data)
        if stored is not None:
            self.before = parameters.made(task, parameters.for_page(task, stored))
        for form in filter(None, (self.sent, self.before)):
            parameters.is_good(task, form)
        self.widget.asked = self.sent or self.before or parameters.made(task)
        dress(self.widget.asked)

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.is_another:
            return self.task is not None or self.was is not None
        if self.sent is None or self.before is None:
            return False
        names = parameters.asked(self.sent)
        if names != parameters.asked(self.before):
            return True
        return any(given(self.sent[name]) != given(self.before[name]) for name in names)

    def clean(self, value: parameters.Submitted) -> parameters.Submitted:
        if self.task is None:
            return {}
        if self.failed:
            raise forms.ValidationError(self.failed, code="failed")
        if self.sent is None:
            raise forms.ValidationError(self.error_messages["unasked"], code="unasked")
        if not self.sent.is_valid():
            raise forms.ValidationError(self.error_messages["wrong"], code="wrong")
        return value

    def in_words(self, now: Mapping[str, Any]) -> list[str]:
        """Before and after, for the log."""
        return [told(self.was, self.stored), told(self.task, now)]

    def errors_of_filled(self) -> Iterator[str]:
        """What is wrong with what is filled in already, while somebody types."""
        for name, texts in self.sent.errors.items() if self.sent else ():
            if name not in self.sent.fields:  # type: ignore[union-attr]
                yield from map(str, texts)
            elif given(field := self.sent[name]) not in ("", []):  # type: ignore[index]
                yield from (f"{field.label}: {text}" for text in texts)


def asking(work: str | None) -> RecordTask | None:
    """The record task of a choice of `work`, where it asks for anything."""
    text = str(work or "")
    task = record_tasks().get(text.removeprefix(RECORDS)) if text.startswith(RECORDS) else None
    return task if task is not None and task.parameters is not None else None


def given(field: forms.BoundField) -> Any:
    """What an input holds, the same for one that is empty and one that is not there."""
    return _plain(field.data)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        found = [_plain(each) for each in value]
        return found if any(each != "" for each in found) else ""
    if value is None or value is False:
        return ""
    return normal(str(value))


def told(task: RecordTask | None, submitted: Mapping[str, Any]) -> str:
    words = parameters.words(task, submitted) if task else parameters.raw_words(submitted)
    return "; ".join(_("%(label)s: %(value)s") % {"label": label, "value": value} for label, value in words)
