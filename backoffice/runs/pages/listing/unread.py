"""A list that is put together, with its filters, and not read from the database."""

from copy import copy
from typing import Any


def unread(model_admin: Any) -> Any:
    """The admin of such a list."""
    reader = copy(model_admin)
    reader.get_changelist = lambda request, **options: type(
        "Unread", (model_admin.get_changelist(request, **options),), {"get_results": lambda self, request: None}
    )
    return reader
