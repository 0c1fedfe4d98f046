"""The form in which staff say what to do and when. What it accepts, `verify` accepts."""

from typing import Any

from celery import current_app
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import PeriodicTask
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from backoffice.runs.labels import task_label

from .. import access
from ..models import Missed, Overlap, ScheduleState
from ..rules import selection, verify, words
from ..rules.permitted import loads
from .asked import ParametersField
from .fields import MomentField, zone_choices
from .form_call import FillsCall
from .form_changes import OnlyChanges, plain
from .form_timing import FIELDS_OF, TIMING, FillsTiming, share_timing
from .form_values import CRONTAB, EVERY, ONCE, initial_of, telling_needs, with_stored, work_choices

COLUMNS = PeriodicTask._meta.concrete_fields
PERIODS: list[Any] = [
    ("minutes", gettext_lazy("minutes")),
    ("hours", gettext_lazy("hours")),
    ("days", gettext_lazy("days")),
    ("seconds", gettext_lazy("seconds")),
]


def text(**attrs: Any) -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget(attrs=attrs)


class ScheduleForm(OnlyChanges, FillsCall, FillsTiming, forms.ModelForm):
    work = forms.ChoiceField(label=gettext_lazy("What to do"), widget=UnfoldAdminSelectWidget)
    selection = forms.CharField(
        label=gettext_lazy("Which records"),
        required=False,
        max_length=500,
        widget=text(spellcheck="false"),
        help_text=gettext_lazy(
            "Filter the list of records and press “Schedule this filter”, or paste its address here. Empty means all."
        ),
    )
    arguments = forms.CharField(
        label=gettext_lazy("Arguments"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy('For tasks that take some, as JSON: {"steps": 3} by name, or [2, 3] in order.'),
    )
    parameters = ParametersField(label=gettext_lazy("Parameters"), required=False)
    only_needed = forms.BooleanField(
        label=gettext_lazy("Only those that need it"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Leaves out the records with which the task has nothing new to do."),
    )
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            (EVERY, gettext_lazy("Repeatedly")),
            (CRONTAB, gettext_lazy("At certain times")),
            (ONCE, gettext_lazy("Once, at a date and time")),
        ],
        initial=CRONTAB,
        widget=UnfoldAdminRadioSelectWidget,
    )
    every = forms.IntegerField(
        label=gettext_lazy("Every"),
        required=False,
        min_value=1,
        max_value=100_000,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    period = forms.ChoiceField(
        label=gettext_lazy("Unit"), choices=PERIODS, required=False, widget=UnfoldAdminSelectWidget
    )
    crontab_text = forms.CharField(
        label=gettext_lazy("Times (crontab)"),
        required=False,
        max_length=500,
        initial="0 2 * * *",
        widget=text(spellcheck="false", list="crontab-examples", autocomplete="off"),
        help_text=gettext_lazy(
            "Choose below by clicking, or write: minute, hour, day of the month, month, day of the week (0 is Sunday). "
            "“0 2 * * *” is every night at 2:00."
        ),
    )
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False, widget=UnfoldAdminSelectWidget)
    one_off = forms.BooleanField(
        label=gettext_lazy("Only the first time"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("It turns itself off after one firing."),
    )
    at = MomentField(label=gettext_lazy("Date and time"), required=False)
    missed = forms.ChoiceField(
        label=gettext_lazy("If missed"),
        choices=Missed,
        initial=Missed.ONCE,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("When its time passed while the machine was down."),
    )
    overlap = forms.ChoiceField(
        label=gettext_lazy("If still running"),
        choices=Overlap,
        initial=Overlap.SKIP,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("When the previous firing is still at work."),
    )
    queue = forms.ChoiceField(label=gettext_lazy("Queue"), required=False, widget=UnfoldAdminSelectWidget)
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        required=False,
        min_value=0,
        max_value=9,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("0 is first, 9 is last."),
    )
    start_time = MomentField(label=gettext_lazy("Not before"), required=False)
    expires = MomentField(label=gettext_lazy("Not after"), required=False)

    class Meta:
        model = PeriodicTask
        fields = ("name", "description", "enabled", "priority", "start_time", "expires", "expire_seconds")
        widgets = {
            "name": text(),
            "description": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            "enabled": UnfoldBooleanSwitchWidget(),
            "expire_seconds": UnfoldAdminIntegerFieldWidget(),
        }
        help_texts = {
            "name": "",
            "enabled": "",
            "description": gettext_lazy("What it is for, for your colleagues."),
            "expire_seconds": gettext_lazy("A message that no worker took by then is dropped."),
        }
        labels = {"expire_seconds": gettext_lazy("Give up after (seconds)")}

    user: Any = None  # set by the admin: choices are what this person may start
    looked_at: dict[tuple[str, str], str]  # set by the admin: of each call what was wrong with its selection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = {field.attname: getattr(self.instance, field.attname) for field in COLUMNS}
        if not self.fields:
            return
        if self.instance.pk:
            self.initial |= initial_of(self.instance)
        self.set_choices()
        self.set_inputs()
        if "at" in self.fields:
            self.fields["at"].help_text = _("Time zone: %(zone)s.") % {"zone": timezone.get_current_timezone_name()}

    def set_choices(self) -> None:
        schedule = self.instance
        works = work_choices(self.user)
        offers: dict[str, list[Any]] = {
            "work": [("", _("Choose…")), *works],
            "when": list(self.base_fields["when"].choices),  # type: ignore[attr-defined]
            "period": PERIODS,
            "zone": zone_choices(),
            "queue": [("", _("as the task says")), *((name, name) for name in sorted(current_app.amqp.queues))],
        }
        if "only_needed" in self.fields:
            self.fields["only_needed"].widget.attrs["data-works"] = " ".join(telling_needs(works))
        for field in offers.keys() & self.fields.keys():
            value = self.initial.get(field) if schedule.pk else ""
            label = {"work": task_label(schedule.task), "when": words.when(schedule)}.get(field) or value
            self.fields[field].choices = with_stored(offers[field], value, label)

    # --- checks -----------------------------------------------------------------------------------------------------

    def clean_selection(self) -> str:
        return selection.clean_query(self.cleaned_data["selection"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        self.keep_untouched(data)
        schedule, touched = self.instance, self.touched
        turned_on = bool("enabled" in touched and data.get("enabled"))
        if touched & self.fields_of_call(data):
            self.fill_call(schedule, data)
        self.fill_timing(schedule, data)
        for name in touched & {"queue", "priority", "expires", "expire_seconds"}:
            setattr(schedule, name, data.get(name) if data.get(name) != "" else None)
        if turned_on or touched & {"queue", *self.fields_of_call(data)}:
            self.mend(schedule)
        self.check_touched(schedule, data, touched, turned_on)
        # The model's own fields go to the row once more after this.
        return {**data, "queue": schedule.queue, "one_off": schedule.one_off}

    def check_touched(self, schedule: PeriodicTask, data: dict[str, Any], touched: set[str], everything: bool) -> None:
        """What was left as it is may be broken, and mended another day; what is turned on is whole."""
        if everything or touched & self.fields_of_call(data):
            self.check("work", verify.verify_call, schedule)
            self.check("parameters", verify.verify_parameters, schedule)
        if touched and not access.is_system(schedule) and (everything or not access.is_unknown(schedule)):
            # All of it, for whoever saves has it from now on.
            self.check("selection", self.verify_selection, schedule)
        if everything or touched & {"queue", "priority", "expires", "expire_seconds"}:
            self.check("expire_seconds", verify.verify_options, schedule)
        if everything and not any(self.has_error(field) for field in TIMING):
            self.check("when", verify.verify_timing, schedule)
        if data.get("enabled") and touched & {"enabled", *TIMING} and not any(map(self.has_error, TIMING)):
            field = "at" if schedule.clocked else "expires" if schedule.expires else "start_time"
            self.check(field, verify.verify_future, schedule)

    def verify_selection(self, schedule: PeriodicTask) -> None:
        """Once in a request, and by the admin before its transaction: the database may think for seconds."""
        known, call = getattr(self, "looked_at", {}), (schedule.task, schedule.kwargs)
        if call not in known:
            known[call] = ""
            try:
                verify.verify_selection(schedule.task, loads(schedule.kwargs, {}), self.user)
            except verify.BadSchedule as error:
                known[call] = str(error)
        if known[call]:
            raise verify.BadSchedule(known[call])

    def validate_unique(self) -> None:
        """Of the name alone: beat's sentences about a timing that is missing have no field here, and ours have."""
        try:
            Model.validate_unique(self.instance, exclude=self._get_validation_exclusions())
        except ValidationError as error:
            self.add_error(None, error)

    def check(self, field: str, verifier: Any, schedule: PeriodicTask) -> None:
        """Let the scheduler's own check decide, unless the field already has an error."""
        if self.has_error(field):
            return
        try:
            verifier(schedule)
        except verify.BadSchedule as error:
            self.add_error(field, str(error))

    # --- saving -----------------------------------------------------------------------------------------------------

    def save(self, commit: bool = True) -> PeriodicTask:
        share_timing(self.instance)
        return super().save(commit)

    def save_options(self) -> None:
        if chosen := {name: self.cleaned_data[name] for name in self.touched & {"missed", "overlap"}}:
            ScheduleState.objects.update_or_create(schedule=self.instance, defaults=chosen)

    def columns(self) -> dict[str, Any]:
        """Those of the row that differ from when the form was made."""
        now = {name: getattr(self.instance, name) for name in self.stored}
        return {name: value for name, value in now.items() if value != self.stored[name]}

    def changes(self) -> dict[str, list[Any]]:
        """By field: what it was and what it is. Fields of a kind of timing or work that was not chosen say nothing."""
        when = self.cleaned_data.get("when") or ""
        other = {name for kind, names in FIELDS_OF.items() if kind != when for name in names}
        other |= {"one_off"} if when == ONCE else set()
        other |= {"selection", "only_needed", "arguments", "parameters"} - self.fields_of_call(self.cleaned_data)
        named = [*self.changed_data, *(FIELDS_OF.get(when, ()) if "when" in self.changed_data else ())]
        found = {name: [plain(self.initial.get(name)), plain(self.cleaned_data.get(name))] for name in named}
        if "parameters" in found:
            found["parameters"] = self.fields["parameters"].in_words(self.cleaned_data.get("parameters") or {})
        return {name: both for name, both in found.items() if name not in other and both[0] != both[1]}
