"""One room tells a value: in words wherever it stands, and what is hidden stays hidden."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from backoffice.runs.change import told, values
from records.models import YourModel
from tests.second.models import Invoice

pytestmark = pytest.mark.once
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IN_WORDS = {
    "a choice": (YourModel, "verdict", "corrected", "correctable"),
    "what is no choice any more": (YourModel, "verdict", "gone", "gone"),
    "a truth": (YourModel, "processed", True, "yes"),
    "nothing": (YourModel, "verdict", None, ""),
    "a moment": (YourModel, "processed_at", NOON, "2026-03-01 21:00:00 JST"),
    "JSON": (YourModel, "normalised", {"seen": [1, True, None], "town": "Köln"}, "seen: 1, yes, –, town: Köln"),
    "rows of JSON": (YourModel, "issues", [{"code": "a", "n": 1}, {"code": "b"}], "code: a, n: 1; code: b"),
    "a field that the team tells": (YourModel, "issues", [{"field": "town", "message": "Is it?"}], "Town: Is it?"),
    "what a person accepted": (
        *(YourModel, "accepted", {"tax_id.unrecognised": {"by": "ada", "reason": "seen", "at": "x", "link": ""}}),
        "Tax ID: not recognised (by ada: seen)",
    ),
    "a field that is gone": (Invoice, "gone", "as it is", "as it is"),
}


@pytest.mark.parametrize(("model", "name", "value", "words"), IN_WORDS.values(), ids=IN_WORDS)
def test_a_value_is_told_in_words_from_a_change_set_and_from_the_log(model, name, value, words):
    field = told.field_of(model, name)
    with timezone.override("Asia/Tokyo"):
        written = values.texts(field, [value])[0] if field else values.encode(value)
        assert told.of_change(model, name)(values.json.loads(written)) == words
        logged = value.isoformat() if isinstance(value, datetime) else value
        assert told.of_log(model, name)(logged) == words


def test_what_cannot_be_read_any_more_stands_as_it_was_written():
    assert told.of_change(YourModel, "processed_at")({"datetime": "no moment"}) == "no moment"
    assert told.of_log(YourModel, "processed_at")("2026-99-99 00:00") == "2026-99-99 00:00"
    assert told.of_change(Invoice, "net")({"stored": "x1y2"}) == "x1y2"
    assert told.plain(date(2026, 3, 1)) == "2026-03-01"
