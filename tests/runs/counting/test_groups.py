"""Which failures are alike."""

import pytest

from backoffice.runs.counting import groups


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        ("record 17 of 3,000 took 1.5 s", "record <n> of <n> took <n> s"),
        ("no such file: '/var/lib/a b/c.txt'", "no such file: <value>"),
        ("cannot open /var/lib/x.txt: denied", "cannot open <path>: denied"),
        ('key "a \\" b" missing', "key <value> missing"),
        ("job 3f1c0c5e-0000-4000-8000-000000000001 gone", "job <uuid> gone"),
        ("job 3f1c0c5e00004000800000000000000a gone", "job <uuid> gone"),
        ("<object at 0x7fb59df5fef0>", "<object at <n>>"),
        ("GET https://x.example/a?b=1 gave 503", "GET <url> gave <n>"),
        ("anna@example.com is unknown", "<email> is unknown"),
        ("two\n  lines", "two lines"),
        ("either/or", "either/or"),
        ("", ""),
    ],
)
def test_particulars_are_left_out_of_a_message(message: str, plain: str):
    assert groups.normalise(message) == plain


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ("ValueError: no", "ValueError", "no"),
        ("psycopg.errors.DeadlockDetected: x", "DeadlockDetected", "x"),
        ("KeyError", "KeyError", ""),
        ("Instance 7 not found.", "", "Instance 7 not found."),
    ],
)
def test_type_and_message_are_told_apart(error: str, kind: str, message: str):
    assert groups.split(error) == (kind, message)
