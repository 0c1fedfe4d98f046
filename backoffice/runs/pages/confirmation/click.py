"""What a click at a list says: which rows, in words too, and whether the same click came before."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...labels import everything, value_label
from ...parameters import PREFIX, TICKS

REASON = "reason"
ONLY_NEEDED = "only_needed"  # the name of the button that leaves the others out


def hidden_inputs(request: HttpRequest) -> list[tuple[str, str]]:
    """What a page between the changelist and the action must send along, for the selection to be the same."""
    names = ("action", "select_across", "form_token", "index", "error")
    carried = [(name, request.POST.get(name, "")) for name in names if name in request.POST]
    return [*carried, *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME))]


def ticked(request: HttpRequest) -> int | None:
    """How many rows were selected by hand; None for "all that match"."""
    is_all = request.POST.get("select_across") == "1"
    return None if is_all else len(set(request.POST.getlist(ACTION_CHECKBOX_NAME)))


def selection_text(modeladmin: Any, request: HttpRequest) -> str:
    """The selection in words, for the run's page and the auditors."""
    if request.POST.get("select_across") != "1":
        number = len(request.POST.getlist(ACTION_CHECKBOX_NAME))
        return ngettext("%d record, selected by hand", "%d records, selected by hand", number) % number
    model = modeladmin.model
    query = {
        (field := name.removesuffix("__exact")): ", ".join(value_label(model, field, value) for value in values)
        for name, values in request.GET.lists()
        if any(values) and name not in ("p", "o", "e", "all", "_facets", "_changelist_filters")
    }
    if not query:
        return everything(model._meta)
    search = query.pop("q", "")
    words = [f"{name}: {value}" for name, value in query.items()]
    return "; ".join([*words, *([_("search “%s”") % search] if search else [])])


def form_token(request: HttpRequest) -> str | None:
    """One per form, person, selection and answers: going back and choosing otherwise is another click, a replay is
    not."""
    given = request.POST.get("form_token")
    if not given:
        return None
    carried = [*hidden_inputs(request), *answers_given(request)]
    parts = [str(request.user.pk), request.get_full_path(), *(f"{k}={v}" for k, v in carried)]
    return hashlib.sha256("\n".join([given, *parts]).encode()).hexdigest()


def only_needed(request: HttpRequest) -> bool:
    return request.POST.get(ONLY_NEEDED) == "1"


def answers_given(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Parameters, reason and the button, as the page sent them."""
    for name, values in sorted(request.POST.lists()):
        if name in (REASON, TICKS, ONLY_NEEDED) or name.startswith(f"{PREFIX}-"):
            yield from ((name, value) for value in values)
