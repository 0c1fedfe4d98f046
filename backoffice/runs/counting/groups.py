"""Which failures are alike: those of one task, with the same exception type and message without its particulars."""

import hashlib
import re
from typing import NamedTuple

MESSAGE = 600  # characters of an error that are looked at

TYPE = re.compile(r"(?:[A-Za-z_][\w.]*\.)?([A-Z]\w*)(?:: |$)")
# In this order: what contains another comes first.
PARTICULARS = [
    (re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", re.I), "<uuid>"),
    (re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|“[^”]*”"""), "<value>"),
    (re.compile(r"\bhttps?://\S+"), "<url>"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+"), "<email>"),
    (re.compile(r"(?<![\w<])(?:[A-Za-z]:\\|~?/)[^\s:,;'\"]+"), "<path>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.I), "<n>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b", re.I), "<id>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
]


PLACE = re.compile("<(?:n|id|url|uuid|path|value|email)>")  # where particulars were


class Alike(NamedTuple):
    """What failures of one group have in common."""

    fingerprint: str
    kind: str  # the exception's type; of a sentence of our own ""
    message: str

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.message}" if self.kind and self.message else self.kind or self.message


def of(task: int | str, error: str) -> Alike:
    """`task`: the number of a record task, or the name of any task."""
    kind, said = split(error[:MESSAGE])
    message = normalise(said)
    return Alike(fingerprint_of(task, kind, message), kind, message)


def split(error: str) -> tuple[str, str]:
    """Exception type and message of an item's error; a sentence of our own has no type."""
    error = error.strip()
    match = TYPE.match(error)
    return (match[1], error[match.end() :]) if match else ("", error)


def in_words(name: str) -> str:
    """What failures have in common, as people read it: "cannot work on …"."""
    return PLACE.sub("…", name)


def normalise(message: str) -> str:
    """A message without its particulars: numbers, ids, quoted values, addresses and paths."""
    for pattern, name in PARTICULARS:
        message = pattern.sub(name, message)
    return " ".join(message.split())


def fingerprint_of(task: int | str, kind: str, message: str) -> str:
    return hashlib.sha256(f"{task}\n{kind}\n{message}".encode()).hexdigest()[:16]
