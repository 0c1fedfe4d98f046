"""Two values that differ never read the same, whatever it is that they differ by."""

import re
import unicodedata

import pytest
from django.template import Context, Template
from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.results.activity import log
from backoffice.runs.change import seen
from backoffice.runs.pages import timeline
from tests.factories import record, user
from tests.properties import tries

UNSEEN = " \n\t\r\x0b\x1f\u00a0\u2003\u2028\u3000\u200b\u200d\ufeff\u00ad\u202e\u0301\u0308\u3164\u2800\ufe0f"
letters = st.sampled_from("abe") | st.sampled_from("éüÅ\u212b\u1112\u1161한") | st.sampled_from(UNSEEN)
texts = st.text(letters, max_size=12) | st.text(max_size=20)
long = st.tuples(st.sampled_from(["x", "x ", "ab\n"]), st.integers(0, 900), texts).map(lambda t: t[0] * t[1] + t[2])


def as_an_eye_reads(side: seen.Side) -> list[tuple[str, str]]:
    """As a browser lays it out: white space in one, none at the edges, what has no shape not at all."""
    collapsed = [(re.sub(r"\s+", " ", part.text), part.name) for part in side]
    look = [(unicodedata.normalize("NFC", text), name) for text, name in collapsed]
    return [("".join(each for each in text if not seen.is_formless(each)), name) for text, name in look]


@settings(max_examples=tries(1_000), deadline=None)
@given(texts | long, texts | long)
def test_two_texts_that_differ_never_read_the_same(before, after):
    one, other = seen.sides(before, after)
    if before != after:
        assert as_an_eye_reads(one) != as_an_eye_reads(other)
    for side in (one, other):
        plain = "".join(part.text for part in side if not part.name)
        assert plain == plain.strip() or len(side) > 1
        assert sum(len(part.text) for part in side if not part.name) <= seen.LONGEST + 2


@settings(max_examples=tries(300), deadline=None)
@given(st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=30))
def test_a_text_with_nothing_unseen_is_left_as_it_is(text):
    if not any(map(seen.is_formless, text)):
        assert seen.one(f"{text} {text}") == [(f"{text} {text}", "")]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("Foo  GmbH", "Foo GmbH", "Foo [2 × space] GmbH → Foo GmbH"),
        (" Foo", "Foo", "[space] Foo → Foo"),
        ("Foo\u00a0AG", "Foo AG", "Foo [no-break space] AG → Foo AG"),
        ("Foo\nBar", "Foo Bar", "Foo [line break] Bar → Foo Bar"),
        ("Cafe\u0301", "Café", "Cafe [combining acute accent] → Café"),
        ("Foo\u200b", "Foo", "Foo [zero width space] → Foo"),
        ("नमस्ते", "Foo", "नमस्ते → Foo"),
        ("", " ", "empty → [space]"),
        ("x" * 400 + "1", "x" * 400 + "2", f"…{'x' * 40}1 → …{'x' * 40}2"),
    ],
)
def test_what_has_no_shape_gets_a_sign_with_a_name(before, after, told):
    html = Template("{% load seen %}{% before_after before after %}").render(
        Context({"before": before, "after": after})
    )
    html = re.sub(r'<span class="bo-sr">.*?</span>', "", html)
    html = re.sub(r'<span class="bo-unseen"[^>]*aria-label="([^"]*)"[^>]*>.*?</span>', r" [\1] ", html)
    assert re.sub(" +", " ", re.sub("<[^>]+>", "", html)).strip() == told


@pytest.mark.parametrize("pair", [(None, ""), (1, "1"), (True, "True"), ("", None)])
def test_values_that_read_the_same_are_told_as_json(pair):
    one, other = seen.in_words(*pair)
    assert one != other


@pytest.mark.django_db
def test_the_timeline_tells_them_apart_with_seconds(client):
    boss = user(is_superuser=True)
    client.force_login(boss)
    about = record()
    entry = log("anna", "record.edited", about, changes={"name": ["A  B", "A B"], "town": [None, ""]})
    found = timeline.of_record(type(about), about.pk, boss).entries[0].changes
    assert [(each.before, each.after) for each in found] == [("A  B", "A B"), ("null", '""')]
    html = client.get(f"/admin/desk/timeline/records.yourmodel/{about.pk}/").content.decode()
    assert 'aria-label="2 × space"' in html
    assert f"{entry.at:%Y-%m-%d %H:%M:%S}" in html


DIFFERING = {
    "an object": ({"town": "Köln", "tax": "1"}, {"town": "Bonn", "tax": "1"}, ({"town": "Köln"}, {"town": "Bonn"})),
    "of a change set": ({"json": {"a": 1, "b": 2}}, {"json": {"a": 1}}, ({"json": {"b": 2}}, {"json": {}})),
    "rows": ([{"code": "a"}, {"code": "b"}], [{"code": "b"}], ([{"code": "a"}], [])),
    "rows in another order": ([{"n": 1}, {"n": 2}], [{"n": 2}, {"n": 1}], None),
    "a list": ([1, 2], [2, 3], None),
    "a kind of its own": ({"decimal": "1.5"}, {"decimal": "2.5"}, None),
    "truth is no number": ({"a": True, "b": 0}, {"a": 1, "b": 0}, ({"a": True}, {"a": 1})),
    "nothing before": (None, {"json": {"a": 1}}, None),
}


@pytest.mark.once
@pytest.mark.parametrize(("before", "after", "shown"), DIFFERING.values(), ids=DIFFERING)
def test_of_two_values_of_json_what_differs_is_shown(before, after, shown):
    assert seen.apart(before, after) == (shown or (before, after))
