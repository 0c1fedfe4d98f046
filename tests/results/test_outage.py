"""Whether an error passes by itself, also where it is made up by a field's or a driver's own code."""

import pytest
from django.db import InterfaceError, OperationalError

from backoffice.results.outage import is_outage, sqlstate


class NoTruth(Exception):
    def __bool__(self) -> bool:
        raise RuntimeError("neither")


def caused_by(**attributes: object) -> OperationalError:
    error = OperationalError("of one's own")
    error.__cause__ = NoTruth()
    vars(error.__cause__).update(attributes)
    return error


@pytest.mark.parametrize("code", ["08006", "40P01", "55P03", "53100", "57014"])
def test_codes_that_pass(code: str) -> None:
    assert is_outage(caused_by(sqlstate=code))


@pytest.mark.parametrize("code", ["54000", "55000", "XX000", "abc", "P0001"])
def test_codes_that_do_not(code: str) -> None:
    assert not is_outage(caused_by(sqlstate=code))


@pytest.mark.parametrize("attributes", [{"sqlstate": 40001}, {"sqlstate": ["08006"]}, {"sqlite_errorcode": "busy"}, {}])
def test_what_is_no_code_says_nothing(attributes: dict[str, object]) -> None:
    assert sqlstate(caused_by(**attributes)) == ""
    assert is_outage(caused_by(**attributes))
    assert is_outage(InterfaceError("closed"))
