"""The record list's search: words anywhere in five fields, found by an index of their trigrams.

Without it a search reads every record: a second on a million. `search_index` keeps it true.
"""

from functools import reduce
from operator import or_

from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.text import smart_split, unescape_string_literal

from ..models import YourModel
from .search_index import FIELDS, TABLE, has_trigrams

TRIGRAM = 3  # characters: the index knows nothing shorter


def find(records: QuerySet[YourModel], text: str) -> QuerySet[YourModel]:
    """The records in which each word of `text` occurs, upper case or lower; a phrase in quotes is one word."""
    words = [_unquoted(word) for word in smart_split(text)]
    if connections[records.db].vendor == "postgresql":
        conditions = ["upper(text) LIKE upper(%s)"] * len(words)
        return _found(records, conditions, [_pattern(word) for word in words])
    long = [word for word in words if len(word) >= TRIGRAM and has_trigrams()]
    short = [word for word in words if word not in long]
    if not long:
        return _read_through(records, short)
    phrases = " ".join('"' + word.replace('"', '""') + '"' for word in long)
    conditions = [f"{TABLE} MATCH %s", *["text LIKE %s ESCAPE '\\'"] * len(short)]
    return _found(records, conditions, [phrases, *map(_pattern, short)])


def _found(records: QuerySet[YourModel], conditions: list[str], parameters: list[str]) -> QuerySet[YourModel]:
    if not conditions:
        return records
    rows = f"SELECT rowid FROM {TABLE} WHERE {' AND '.join(conditions)}"  # noqa: S608 - conditions of our own
    return records.filter(pk__in=RawSQL(rows, parameters))  # noqa: S611 - what was typed is a parameter


def _read_through(records: QuerySet[YourModel], words: list[str]) -> QuerySet[YourModel]:
    """What occurs in most records, a page of the list has at once: better than a million found ones."""
    for word in words:
        records = records.filter(reduce(or_, (Q((f"{field}__icontains", word)) for field in FIELDS)))
    return records


def _unquoted(word: str) -> str:
    return unescape_string_literal(word) if word[:1] in "\"'" and word[0] == word[-1:] and len(word) > 1 else word


def _pattern(word: str) -> str:
    for special in "\\%_":
        word = word.replace(special, "\\" + special)
    return f"%{word}%"
