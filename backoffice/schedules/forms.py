"""The form in which staff say what to do and when. What it accepts, `verify` accepts."""

import json
from typing import Any

from celery import current_app
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
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

from . import allowed, selection, verify, words
from .allowed import loads
from .fields import MomentField, zone_choices
from .form_timing import TIMING, FillsTiming, share_timing
from .form_values import CRONTAB, EVERY, ONCE, RECORDS, SOLAR, initial_of, work_choices
from .models import Missed, Overlap, ScheduleState

PERIODS = [
    ("minutes", gettext_lazy("minutes")),
    ("hours", gettext_lazy("hours")),
    ("days", gettext_lazy("days")),
    ("seconds", gettext_lazy("seconds")),
]


def text(**attrs: Any) -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget(attrs=attrs)


class ScheduleForm(FillsTiming, forms.ModelForm):
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
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            (EVERY, gettext_lazy("Again and again, every so often")),
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.fields:
            return
        self.set_choices()
        if self.instance.pk:
            self.initial = {**initial_of(self.instance), **self.initial}
        if "at" in self.fields:
            self.fields["at"].help_text = _("Time zone: %(zone)s.") % {"zone": timezone.get_current_timezone_name()}

    def set_choices(self) -> None:
        choices = work_choices(self.user)
        if self.instance.pk and self.instance.task not in (allowed.START_RUN, *allowed.offered()):
            choices = [*choices, (words.task_label(self.instance.task), [(self.instance.task, self.instance.task)])]
        if self.instance.solar_id and "when" in self.fields:  # not offered for new ones, and kept where there is one
            self.fields["when"].choices = [*self.fields["when"].choices, (SOLAR, words.when(self.instance))]  # type: ignore[attr-defined]
        for field, options in {
            "work": [("", _("Choose…")), *choices],
            "zone": zone_choices(),
            "queue": [("", _("as the task says")), *((name, name) for name in sorted(current_app.amqp.queues))],
        }.items():
            if field in self.fields:
                self.fields[field].choices = options  # type: ignore[attr-defined]

    # --- checks -----------------------------------------------------------------------------------------------------

    def clean_selection(self) -> str:
        return selection.clean_query(self.cleaned_data["selection"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        row = self.instance
        self.fill_call(row, data)
        self.fill_timing(row, data)
        row.queue = data.get("queue") or None
        row.priority, row.expires, row.expire_seconds = (data.get(n) for n in ("priority", "expires", "expire_seconds"))
        self.check("work", verify.verify_call, row)
        self.check("selection", lambda r: verify.verify_selection(r.task, json.loads(r.kwargs), self.user), row)
        self.check("expire_seconds", verify.verify_options, row)
        if data.get("enabled") and not any(self.has_error(field) for field in TIMING):
            field = "at" if row.clocked else "expires" if row.expires else "start_time"
            self.check(field, verify.verify_future, row)
        return data

    def validate_unique(self) -> None:
        """Beat's sentence about a timing that is missing is left out: ours stands beside the field."""
        super().validate_unique()
        self.errors.pop(NON_FIELD_ERRORS, None)

    def check(self, field: str, verifier: Any, row: PeriodicTask) -> None:
        """Let the scheduler's own check decide, unless the field already has an error."""
        if self.has_error(field):
            return
        try:
            verifier(row)
        except verify.BadSchedule as error:
            self.add_error(field, str(error))

    def fill_call(self, row: PeriodicTask, data: dict[str, Any]) -> None:
        row.exchange, row.routing_key, row.args, row.kwargs = None, None, "[]", "{}"
        row.headers = json.dumps(loads(row.headers, {}))
        work = data.get("work") or ""
        if work.startswith(RECORDS):
            row.task = allowed.START_RUN
            kwargs = {"task": work.removeprefix(RECORDS)}
            row.kwargs = json.dumps(kwargs | ({"selection": data["selection"]} if data.get("selection") else {}))
            return None
        row.task = work
        try:
            given = json.loads(data.get("arguments") or "{}")
        except (ValueError, RecursionError) as error:
            return self.add_error("arguments", _("This is not JSON: %(error)s.") % {"error": error})
        if isinstance(given, list):
            row.args = json.dumps(given)
        elif isinstance(given, dict):
            row.kwargs = json.dumps(given)
        else:
            self.add_error("arguments", _('Write {"name": value} or [value, value].'))
        return None

    # --- saving -----------------------------------------------------------------------------------------------------

    def save(self, commit: bool = True) -> PeriodicTask:
        share_timing(self.instance)
        return super().save(commit)

    def save_options(self) -> None:
        values = {"missed": self.cleaned_data["missed"], "overlap": self.cleaned_data["overlap"]}
        ScheduleState.objects.update_or_create(schedule=self.instance, defaults=values)
