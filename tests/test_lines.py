"""Nobody's text begins a log line or moves the cursor; a refusal is one line."""

import io
import logging
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backoffice.lines import LineFormatter, escaped
from records.tasks import add
from tests.factories import user
from tests.servers import wait_until
from tests.workers import running_worker

pytestmark = pytest.mark.once

FORGED = "x\n[2026-01-01 00:00:00,000: INFO/MainProcess] forged\r\x1b[2J\u2028\u202e\x9b"
LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+: |    \| ")


def formatted(formatter: logging.Formatter, message: str, **more: Any) -> str:
    return formatter.format(logging.makeLogRecord({"msg": message, "levelname": "ERROR", "name": "n"} | more))


def test_what_is_quoted_stays_in_its_line():
    line = formatted(LineFormatter("%(levelname)s %(message)s"), FORGED)
    assert line == r"ERROR x\n[2026-01-01 00:00:00,000: INFO/MainProcess] forged\r\x1b[2J\u2028\u202e\x9b"


@pytest.mark.parametrize("text", ["plain", "Ärger in Łódź\tand 東京", "😀", ""])
def test_text_that_does_no_harm_is_left_as_it_is(text: str):
    assert escaped(text) == text


def test_a_traceback_follows_in_lines_that_nobody_takes_for_events():
    try:
        raise ValueError(FORGED)
    except ValueError:
        lines = formatted(LineFormatter("%(message)s"), "failed", exc_info=sys.exc_info(), stack_info="a\nb").split(
            "\n"
        )
    assert lines[0] == "failed"
    assert len(lines) > 5
    assert all(line.startswith("    | ") for line in lines[1:])
    assert "\x1b" not in "".join(lines)


def test_the_colours_that_celery_gives_a_terminal_stay():
    from celery.utils.log import ColorFormatter

    line = formatted(LineFormatter(inner=ColorFormatter("%(message)s")), f"{FORGED}")
    assert line.startswith("\x1b[1;31mx\\n")
    assert line.endswith("\x1b[0m")
    assert line.count("\x1b") == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "host", "status"),
    [
        ("/admin/auth/user/", "testserver", 403),
        ("/nowhere%0Aforged", "testserver", 404),
        ("/", "evil\x1b.example", 400),
    ],
)
def test_a_refused_page_is_one_line(client: Client, url: str, host: str, status: int):
    client.force_login(user())
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(LineFormatter("%(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        assert client.get(url, HTTP_HOST=host).status_code == status
    finally:
        logging.getLogger().removeHandler(handler)
    assert handler.stream.getvalue().count("\n") == 1


def lines_of(log: Path) -> list[str]:
    """Those after the banner, which is no log."""
    text = log.read_text()
    return text[text.index(": INFO/MainProcess]") :].splitlines()[1:]


@pytest.mark.processes
def test_a_workers_log_holds_no_line_that_a_task_made_up(transactional_db: None):
    with running_worker() as worker:
        add.apply_async(args=[FORGED, 1], task_id=f"id {FORGED}")
        wait_until(lambda: worker.log.read_text().count("raised unexpected") >= 1, what="the failure")
    strange = [line for line in lines_of(worker.log) if "forged" in line and not LINE.match(line)]
    assert strange == []
    assert not [line for line in lines_of(worker.log) if line.startswith("[2026-01-01") or "\x1b" in line]


def test_a_line_and_a_traceback_are_cut_in_the_middle_where_an_error_quotes_a_whole_file():
    try:
        raise ValueError("from" + "x" * 5_000_000 + "to")
    except ValueError as exc:
        record = logging.LogRecord("a", logging.ERROR, "", 0, "began %s ended", (exc,), sys.exc_info())
    line = LineFormatter().format(record)
    assert len(line) < 50_000
    assert line.startswith("began from")
    assert "to ended\n" in line
    assert "characters" in line
    assert line.endswith("to")
