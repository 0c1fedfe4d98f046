"""Whatever the code writes into the activity log has a name that people can choose in its filter."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from backoffice.results import verbs
from backoffice.results.activity import log
from tests.factories import user

VERB = re.compile(r"[a-z]+\.[a-z_]+")


def verbs_in(path: Path) -> Iterator[str]:
    """The constants among what calls of log() and entry() are given as verb, and constants called VERB."""
    for node in ast.walk(ast.parse(path.read_text())):
        name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
        places = node.args[1:2] if name in ("log", "entry") else []
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "VERB" for target in node.targets):
            places = [node.value]
        for place in places:
            if isinstance(place, ast.JoinedStr):
                yield from (f"{kind}{place.values[-1].value}" for kind in ("user", "group"))  # people.py: {self.kind}
                continue
            for part in ast.walk(place):
                if isinstance(part, ast.Constant) and VERB.fullmatch(str(part.value)):
                    yield part.value


def written() -> set[str]:
    folders = [settings.BASE_DIR / name for name in ("backoffice", "records")]
    return {verb for folder in folders for path in folder.rglob("*.py") for verb in verbs_in(path)}


def test_every_verb_of_the_code_has_words_and_a_kind_and_no_word_lacks_its_verb():
    assert written() == set(verbs.words())


def test_a_verb_that_nobody_added_shows_as_it_is_written():
    assert verbs.in_words("run.started") == "Run started"
    assert (verbs.in_words("run.danced"), verbs.in_words("moon.rose"), verbs.in_words("odd")) == (
        "run.danced", "moon.rose", "odd",
    )  # fmt: skip


@pytest.mark.django_db
def test_imports_and_exports_are_found_by_these_words(client):
    client.force_login(user(is_superuser=True))
    entries = {verb: log("anna", verb, "x.csv") for verb in ("record.imported", "record.exported", "run.exported")}
    page = client.get("/admin/results/activity/").text
    for words in ("Records imported", "Records exported", "Evidence of a run exported"):
        assert page.count(words) == 2  # as a choice, and on its line
    for verb, entry in entries.items():
        found = client.get("/admin/results/activity/", {"did": verb}).context["cl"].result_list
        assert [row.pk for row in found] == [entry.pk]
