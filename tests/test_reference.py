"""The reference says what the docstrings say, of everything a team may import and of every option."""

import pytest

from backoffice.runs import record_task
from backoffice.runs.registry import RecordTask
from tests import reference

pytestmark = pytest.mark.once


def test_it_is_as_the_docstrings_are():
    assert reference.PAGE.read_text() == reference.page(), "python -m tests.reference writes it anew"


def test_every_option_is_told():
    told = dict(reference.attributes(record_task.Options))
    assert told.keys() == record_task.Options.__annotations__.keys()
    ours = set(vars(RecordTask)) & set(RecordTask.__annotations__) - {"body", "model_label", "writes", "held_too"}
    assert told.keys() >= ours


def test_everything_that_may_be_imported_is_told():
    from backoffice import testing
    from backoffice.exchange import seam as exchange
    from backoffice.runs import seam

    page = reference.PAGE.read_text()
    for found in (seam, exchange, testing):
        for name in found.__all__:
            assert f"### `{name}`" in page or f"### `{name}(" in page
            assert name in reference.TYPES or reference.text(getattr(found, name)), f"{name} has no docstring"
