"""What is counted is told in a sentence that is right for none, one and many."""

import re
from pathlib import Path

import pytest

from backoffice.desk.health.thorough import drift_check
from backoffice.runs import snapshot
from backoffice.runs.doctor.findings import Drift
from backoffice.runs.models import Run
from backoffice.runs.pages import progress
from backoffice.runs.pages.confirmation.begun import message_of

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parent.parent


def compared(n: int) -> str:
    return drift_check(Drift(compared=n)).summary


SENTENCES = {
    "progress": (lambda n: progress.in_words(Run(total=n, succeeded=n)), {
        0: "0 of 0 records done", 1: "1 of 1 record done", 2: "2 of 2 records done",
    }),
    "begun": (lambda n: message_of(Run(total=n), False)[0], {
        1: "1 record is in this run.", 2: "2 records are in this run.",
    }),
    "skipped": (lambda n: snapshot.nothing(n, {"not in need of it": n}), {
        1: "The selected record was skipped: 1 not in need of it.",
        2: "All 2 selected records were skipped: 2 not in need of it.",
    }),
    "cancelled": (lambda n: progress.cancelled_in_words(n, n), {
        1: "Cancelled: 1 record is not worked on. 1 more is in progress: it is finished or given back within seconds."
           " What is done stays done.",
    }),
    "cancelled late": (lambda n: progress.cancelled_in_words(0, n), {
        0: "Too late to cancel: all were done.",
        1: "Nothing was left to begin. 1 record is in progress: it is finished or given back within seconds.",
        2: "Nothing was left to begin. 2 records are in progress: they are finished or given back within seconds.",
    }),
    "compared": (compared, {
        0: "0 outcomes compared in ledger, TaskResult and Redis: they agree.",
        1: "1 outcome compared in ledger, TaskResult and Redis: they agree.",
    }),
}  # fmt: skip


@pytest.mark.parametrize(("tell", "told"), SENTENCES.values(), ids=SENTENCES)
def test_a_number_is_told_in_a_sentence_that_fits_it(tell, told):
    assert {n: tell(n) for n in told} == told


# A number and what is counted, in a text that knows no plural. Bounds of ours are many for ever.
COUNTED = re.compile(
    r"(?:%\((?P<name>\w+)\)[sd]|\{\{ ?(?P<variable>\w+) ?\}\})"
    r" (?:more |failed |selected )?(?:records|failures|outcomes|calls|runs|schedules|rows|items|more wait|are left)\b"
)
PLURAL = re.compile(r"ngettext\((?:[^()]|\([^()]*\))*\)|blocktrans(?:late)? count .*?endblocktrans", re.DOTALL)
BOUNDS = {
    "max",
    ("failures.html", "{{ number }} failed records"),
    ("failures.html", "{{ number }} failed calls"),
    ("related.py", "%(count)d records"),
    ("changes.html", "{{ n }} records"),
    ("undo.html", "{{ n }} records"),
    ("live.html", "{{ n }} failures"),
    ("since.html", "{{ n }} failures"),
}


def test_no_sentence_counts_without_a_plural():
    found = []
    for path in (path for folder in ("backoffice", "records") for path in sorted((ROOT / folder).rglob("*"))):
        if path.suffix in (".py", ".html") and "migrations" not in path.parts:
            counted = COUNTED.finditer(PLURAL.sub("", path.read_text()))
            found += [(path.name, each[0]) for each in counted if each["name"] not in BOUNDS]
    assert [each for each in found if each not in BOUNDS] == []
