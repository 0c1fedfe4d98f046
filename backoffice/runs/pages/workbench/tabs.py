"""The parts of a record's page beside its form, each in a tab."""

from dataclasses import dataclass
from typing import Any

DUPLICATES = "duplicates"


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    words: Any
    template: str
    number: int = 0  # of what waits there for somebody


def of(declared: Any, duplicates: Any) -> list[Tab]:
    """As the admin declares them; that of duplicates only for records that are compared."""
    number = duplicates.number if duplicates else 0
    found = (Tab(name, words, template, number * (name == DUPLICATES)) for name, words, template in declared)
    return [tab for tab in found if tab.name != DUPLICATES or duplicates]
