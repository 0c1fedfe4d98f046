"""Sensitive arguments are masked wherever they are given by position or by name."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Task, current_app

from backoffice.results.values.redaction import MASK, RedactingTask, redacted, scrubber

pytestmark = pytest.mark.once


@pytest.fixture
def register() -> Iterator[Any]:
    made: list[str] = []

    def add(function: Any, **options: Any) -> Task:
        name = f"tests.{function.__name__}"
        made.append(name)
        return current_app.task(name=name, base=RedactingTask, **options)(function)

    yield add
    for name in made:
        current_app.tasks.unregister(name)


def connect(host, password, *codes, port=1, **more):
    pass


def bound(self, host, password):
    pass


def test_by_position_and_by_name(register):
    name = register(connect, sensitive_args=("password",)).name
    assert redacted(name, ["h", "secret"], {"port": 2}) == (["h", MASK], {"port": 2})
    assert redacted(name, ["h"], {"password": "secret"}) == (["h"], {"password": MASK})
    assert redacted(name, ["h", "secret", 7, 8], {"token": 1}) == (["h", MASK, 7, 8], {"token": 1})


def test_the_self_of_a_bound_task_is_not_counted(register):
    name = register(bound, bind=True, sensitive_args=("password",)).name
    assert redacted(name, ["h", "secret"], {}) == (["h", MASK], {})


def test_all_of_a_sensitive_rest_and_extra_names(register):
    name = register(connect, sensitive_args=("codes", "token")).name
    assert redacted(name, ["h", "p", 7, 8], {"token": 1, "x": 2}) == (["h", "p", MASK, MASK], {"token": MASK, "x": 2})


def test_a_text_in_place_of_arguments_is_masked_whole_and_none_stays_none(register):
    name = register(connect, sensitive_args=("password",)).name
    assert redacted(name, "('h', 'secret')", "{'password': 'secret'}") == (MASK, MASK)
    assert redacted(name, None, None) == (None, None)


def test_without_sensitive_arguments_nothing_is_copied(register):
    args, kwargs = ["h", "p"], {"password": "x"}
    for name in (register(connect).name, "no.such.task", None):
        assert redacted(name, args, kwargs) == (args, kwargs)
        assert redacted(name, args, kwargs)[0] is args


def test_what_is_given_is_not_changed(register):
    name = register(connect, sensitive_args=("password",)).name
    args, kwargs = ["h", "secret"], {"password": "secret"}
    redacted(name, args, kwargs)
    assert (args, kwargs) == (["h", "secret"], {"password": "secret"})


def test_what_celery_logs_and_sends_as_events_is_masked_and_the_message_is_not(register, monkeypatch):
    task, sent = register(connect, sensitive_args=("password",)), {}
    monkeypatch.setattr(Task, "apply_async", lambda self, args, kwargs, **options: sent.update(options, args=args))
    task.delay("h", "secret", port=3)
    assert sent["argsrepr"] == repr(("h", MASK))
    assert sent["kwargsrepr"] == "{'port': 3}"
    assert sent["args"] == ("h", "secret")


@pytest.mark.parametrize(
    ("secret", "said", "left"),
    [
        ("s3cret-ö", "login with s3cret-ö failed", f"login with {MASK} failed"),
        ("s3cret-ö", r'{"key": "s3cret-\u00f6"}', f'{{"key": "{MASK}"}}'),
        ("two\nlines", r"'two\nlines'", f"'{MASK}'"),
        ("it's \"\\", repr(["x", repr("it's \"\\")]), f"['x', '\\'{MASK}'']"),
        (1234, "PIN 1234, not 12345", f"PIN {MASK}, not 12345"),
        (1, "1 of 12", f"{MASK} of 12"),
        ("ab", "ab, cabs", f"{MASK}, cabs"),
        (["first-one", {"k": "second"}], "first-one and second", f"{MASK} and {MASK}"),
        ("a.c+", "abcc a.c+", f"abcc {MASK}"),
    ],
    ids=str,
)
def test_a_sensitive_value_is_masked_wherever_a_text_quotes_it(register, secret, said, left):
    name = register(connect, sensitive_args=("password",)).name
    assert scrubber(name, ["h", secret], {}).text(said) == left


def test_results_keep_their_shape_and_what_says_nothing_hides_nothing(register):
    name = register(connect, sensitive_args=("password",)).name
    scrub = scrubber(name, ["h"], {"password": "s3cret"})
    assert scrub.value({"a": ["s3cret", 7, None, True], "s3cret": 1.5}) == {"a": [MASK, 7, None, True], MASK: 1.5}
    for nothing in (None, "", True):
        assert scrubber(name, ["h", nothing], {}) is None
    assert scrubber(register(bound, bind=True).name, ["h", "p"], {}) is None
