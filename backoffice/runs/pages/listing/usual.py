"""The named filters of records whose admin names none: what their states, outcomes and filters have to tell."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.text import capfirst

ORDINARY = ("good", "calm")  # colours of outcomes that nobody need look at


def usual(model_admin: Any, request: HttpRequest, shown: frozenset[str] | None) -> list[tuple[str, str]]:
    """`shown`: the fields that this person sees; None: all."""
    own = [*unprocessed(model_admin), *outcomes(model_admin)]
    named = [(words, f"{field}__exact", value) for words, field, value in own if shown is None or field in shown]
    return [
        (capfirst(words), urlencode({key: value})) for words, key, value in [*named, *filters(model_admin, request)]
    ]


def unprocessed(model_admin: Any) -> Iterator[tuple[str, str, str]]:
    if model_admin.sets_processed:
        yield str(model_admin.processed_words[1]), "processed", "0"


def outcomes(model_admin: Any) -> Iterator[tuple[str, str, str]]:
    """Those that somebody should look at; where no colour says which these are, all."""
    if field := model_admin.outcome_field:
        choices = model_admin.opts.get_field(field).flatchoices
        badges = [(str(code), model_admin.outcome_badge_of(str(code), word)) for code, word in choices]
        telling = [(code, badge) for code, badge in badges if badge.colour not in ORDINARY]
        yield from ((badge.word, field, code) for code, badge in telling or badges)


def filters(model_admin: Any, request: HttpRequest) -> Iterator[tuple[str, str, str]]:
    """Of the list's own filters those that say which of their choices has a name."""
    for each in model_admin.get_list_filter(request):
        if words := getattr(each, "named", None):
            yield str(words[0]), each.parameter_name, words[1]
