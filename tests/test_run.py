"""Of `make test` and `make test-all` no test is left out and none runs twice, whatever its markers are."""

from itertools import combinations

import pytest
from _pytest.mark.expression import Expression

from tests.properties import cases
from tests.run import APART, FAULTS, KINDS, SLOW, Session, sessions_of, slow_sessions, without

pytestmark = pytest.mark.once
MARKS = ("slow", "long", "browser", "once", "spared", "processes")
MARKED = [set(marks) for number in range(len(MARKS) + 1) for marks in combinations(MARKS, number)]
USUAL, ALL = sessions_of(KINDS["usual"], ()), sessions_of(KINDS["all"], ())


def takes(expression: str, marks: set[str]) -> bool:
    return Expression.compile(expression).evaluate(lambda name, **_: name in marks)


def times(sessions: list[Session], marks: set[str], *, apart: bool, on_postgresql: bool) -> int:
    """How often a test with these markers runs that lies in one of the folders apart, or in none."""
    here = [each for each in sessions if each.on_postgresql == on_postgresql and takes(each.expression, marks)]
    left_out = {without(APART): not apart, APART: apart}
    return sum(left_out.get(each.arguments, True) for each in here)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("marks", MARKED, ids=str)
def test_each_runs_once_on_each_database_that_it_is_for(marks: set[str], apart: bool):
    quick = not marks & {"slow", "long"}
    assert times(USUAL, marks, apart=apart, on_postgresql=False) == quick
    assert times(USUAL, marks, apart=apart, on_postgresql=True) == (quick and not marks & {"once", "spared", "browser"})
    everything = [*ALL, *slow_sessions(())]
    assert times(everything, marks, apart=apart, on_postgresql=False) == 1
    assert times(everything, marks, apart=apart, on_postgresql=True) == ("once" not in marks)


def test_the_slow_ones_are_among_themselves():
    assert not [each for each in ALL if takes(each.expression, {"slow"})]
    assert [each.expression for each in slow_sessions(())] == [SLOW.on_sqlite, SLOW.on_postgresql]
    assert slow_sessions(())[1].arguments == FAULTS


def test_what_a_person_asks_for_is_asked_of_both_databases():
    for kind in ("usual", "all"):
        asked = sessions_of(KINDS[kind], ("-k", "word"))
        assert [(each.on_postgresql, each.arguments) for each in asked] == [
            (False, ("-k", "word")),
            (True, ("-k", "word")),
        ]


@pytest.mark.parametrize(
    ("share", "many", "kept"),
    [
        (0.15, 1, 1), (0.15, 3, 1), (0.15, 10, 2), (0.15, 200, 30),
        (0.34, 1, 1), (0.34, 3, 3), (0.34, 5, 3), (0.34, 50, 17),
    ],
)  # fmt: skip
def test_of_each_test_some_cases_stay_where_a_share_of_them_is_taken(share: float, many: int, kept: int):
    of_one, of_another = ([f"{test}[{case}]" for case in range(many)] for test in ("a.py::one", "a.py::another"))
    found = list(cases([*of_one, "a.py::plain", *of_another], share))
    assert len(set(found) & set(of_one)) == len(set(found) & set(of_another)) == kept
    assert "a.py::plain" in found
    assert KINDS["all"].share_of_cases == "1"
    assert list(cases(of_one, 1)) == of_one
