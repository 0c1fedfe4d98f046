"""How a value stands in a cell, and how a cell's text is read, where the model's field does not say it."""

from datetime import datetime, time
from typing import Any

from import_export.widgets import Widget


class Text(Widget):
    """The widget of a column that names none: `clean` leaves the cell's text to the model's field.

    Override `render` for how a value stands in a file, and `clean` for how it is read.
    """

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, datetime | time):
            return value.isoformat(timespec="seconds")
        return str(value)


class YesNo(Text):
    SAID = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """What is neither goes on to the model's field, which says so."""
        return self.SAID.get(str(value).strip().lower(), value)
