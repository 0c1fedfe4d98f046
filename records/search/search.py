"""The record list's search: words anywhere in six fields, found by an index of their trigrams, accents left out; and
telephone numbers, however they are written.

Without it a search reads every record: a second on a million. `search_index` keeps it true.
"""

from functools import reduce
from operator import or_

from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.text import smart_split, unescape_string_literal

from ..models import YourModel
from .folding import folded, telephone
from .search_index import FIELDS, TABLE, has_trigrams

TRIGRAM = 3  # characters: the index knows nothing shorter


def find(records: QuerySet[YourModel], text: str) -> QuerySet[YourModel]:
    """The records in which each word of `text` occurs, upper case or lower; a phrase in quotes is one word. What may be
    a telephone number is found as one, too."""
    words = [_unquoted(word) for word in smart_split(text)]
    plain, number = [folded(word) for word in words], telephone(text)
    if connections[records.db].vendor == "postgresql":
        conditions = " AND ".join(["upper(text) LIKE upper(%s)"] * len(words))
        or_number = " OR upper(text) LIKE %s" if number else ""
        numbers = [_pattern(number)] if number else []
        return _found(records, f"({conditions}){or_number}", [*map(_pattern, plain), *numbers]) if words else records
    if not has_trigrams() or not (number or any(len(word) >= TRIGRAM for word in plain)):
        return _read_through(records, words)
    return _by_trigrams(records, plain, number)


def _by_trigrams(records: QuerySet[YourModel], words: list[str], number: str) -> QuerySet[YourModel]:
    long = [word for word in words if len(word) >= TRIGRAM]
    short = [word for word in words if len(word) < TRIGRAM]
    conditions, parameters = list[str](), list[str]()
    if long:
        conditions.append(" AND ".join([f"{TABLE} MATCH %s", *["text LIKE %s ESCAPE '\\'"] * len(short)]))
        parameters += [" ".join(map(_phrase, long)), *map(_pattern, short)]
    if number:
        conditions.append(f"{TABLE} MATCH %s")
        parameters.append(_phrase(number))
    either = f" UNION SELECT rowid FROM {TABLE} WHERE "  # noqa: S608 - conditions of our own
    return _found(records, either.join(conditions), parameters)


def _found(records: QuerySet[YourModel], condition: str, parameters: list[str]) -> QuerySet[YourModel]:
    rows = f"SELECT rowid FROM {TABLE} WHERE {condition}"  # noqa: S608 - conditions of our own
    return records.filter(pk__in=RawSQL(rows, parameters))  # noqa: S611 - what was typed is a parameter


def _read_through(records: QuerySet[YourModel], words: list[str]) -> QuerySet[YourModel]:
    """What occurs in most records, a page of the list has at once: better than a million found ones."""
    for word in words:
        records = records.filter(reduce(or_, (Q((f"{field}__icontains", word)) for field in FIELDS)))
    return records


def _unquoted(word: str) -> str:
    return unescape_string_literal(word) if word[:1] in "\"'" and word[0] == word[-1:] and len(word) > 1 else word


def _phrase(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _pattern(word: str) -> str:
    for special in "\\%_":
        word = word.replace(special, "\\" + special)
    return f"%{word}%"
