"""Rows of a file that look like a record there is, or like another row of the file."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _

from backoffice.runs.duplicates import candidates

from .rows import ImportRow
from .trial import Trial

NAMED = 3
Numbers = Mapping[int, set[int]]  # by line


def look_alikes(
    model_admin: Any, request: Any, rows: Sequence[ImportRow], trials: Mapping[int, Trial]
) -> dict[int, list[str]]:
    """By line, others in words. Of a record that is there already only where what is compared changes."""
    numbers = {line: trial.numbers for line, trial in trials.items() if trial.numbers}
    if not numbers:
        return {}
    found = candidates.of_numbers(model_admin.model, {-line: values for line, values in numbers.items()})
    own = {row.line: row.pk for row in rows}
    others = {line: [pk for pk in found.get(-line, ()) if pk != own[line]][:NAMED] for line in numbers}
    seen = model_admin.get_queryset(request).in_bulk(sorted({pk for each in others.values() for pk in each}))
    in_file = _in_file(numbers)
    said = {
        line: [
            *(_link(model_admin, seen[pk]) for pk in others[line] if pk in seen),
            *(_("row %(row)d of this file") % {"row": other} for other in in_file.get(line, ())),
        ]
        for line in numbers
    }
    return {line: words for line, words in said.items() if words}


def _link(model_admin: Any, record: Any) -> str:
    return format_html('<a class="bo-link" href="{}">{}</a>', model_admin.url_of("change", record.pk), record)


def _in_file(numbers: Numbers) -> dict[int, list[int]]:
    """The first other rows that have a number in common with each: of ten thousand alike no list of each."""
    first: dict[int, list[int]] = defaultdict(list)
    for line in sorted(numbers):
        for value in numbers[line]:
            if len(first[value]) <= NAMED:
                first[value].append(line)
    alike = {line: sorted({other for value in values for other in first[value]} - {line})[:NAMED]
             for line, values in numbers.items()}  # fmt: skip
    return {line: others for line, others in alike.items() if others}
