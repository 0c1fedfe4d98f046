"""The verbs of the activity log as people read and choose them: each wing adds its own, when its app is ready.

A verb is a kind and a word, "run.started". One that nobody added shows as it is written.
"""

from typing import NamedTuple

from django.utils.functional import Promise

Words = str | Promise


class Kind(NamedTuple):
    title: Words
    verbs: dict[str, Words]  # the word after the kind's: what it is called


_kinds: dict[str, Kind] = {}


def add(kind: str, title: Words, **verbs: Words) -> None:
    """Name what is done to one kind of thing: `add("run", _("Runs"), started=_("Run started"))`."""
    _kinds[kind] = Kind(title, verbs)


def kinds() -> list[tuple[str, str]]:
    """Kind and title, as a filter offers them: by title."""
    return sorted(((kind, str(found.title)) for kind, found in _kinds.items()), key=lambda choice: choice[1])


def words() -> dict[str, str]:
    """Every verb and what it is called, kind after kind."""
    return {f"{kind}.{word}": str(called) for kind, _title in kinds() for word, called in _kinds[kind].verbs.items()}


def in_words(verb: str) -> str:
    kind, _dot, word = verb.partition(".")
    found = _kinds.get(kind)
    return str(found.verbs.get(word, verb)) if found else verb
