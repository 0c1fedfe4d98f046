"""Form fields of this wing."""

import zoneinfo
from datetime import datetime
from functools import cache
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES

MOMENT = "%Y-%m-%dT%H:%M"


class MomentInput(forms.DateTimeInput):
    """The browser's own date and time field: keyboard, touch and screen readers work in it."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES), **(attrs or {})}, format=MOMENT)

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, datetime) and value.second:
            return f"{value:{MOMENT}:%S}"
        return super().format_value(value)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With a step of a second where there are some: browsers send whole minutes otherwise, or nothing."""
        if isinstance(value, datetime) and value.second:
            attrs = {**(attrs or {}), "step": 1}
        # for the page, which writes the reader's own time beside it
        attrs = {**(attrs or {}), "data-zone": timezone.get_current_timezone_name()}
        return super().get_context(name, value, attrs)


class MomentField(forms.DateTimeField):
    """A date and time in the current time zone. A time that the clock change leaves out or repeats is refused."""

    widget = MomentInput
    default_error_messages = {
        "required": _("Choose a date and a time."),
        "invalid": _("Write the date and time like 2030-12-31 18:30."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=[MOMENT, f"{MOMENT}:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"], **kwargs)


@cache
def zones() -> frozenset[str]:
    """All that can be loaded: reading the system's folders for them takes as long as a page."""
    return frozenset(zoneinfo.available_timezones())


@cache
def zone_choices() -> list[tuple[str, str]]:
    """UTC first, then every zone of the system's database that names a place."""
    places = sorted(name for name in zones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]
