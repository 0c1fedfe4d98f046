"""One date format, one number format, one word for a thing: wherever a page says it."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.template import Context, Template

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = [path for top in ("backoffice", "records") for path in (ROOT / top).rglob("*.html")]
FORMATS = {"Y-m-d", "Y-m-d H:i", "Y-m-d H:i T", "Y-m-d H:i:s T", "H:i:s", "H:i", "c"}
COUNTED = re.compile(r"{% blocktrans(?:late)? count (\w+)=(\S+).*?%}(.*?){% endblocktrans(?:late)? %}", re.DOTALL)


@pytest.mark.parametrize(
    ("tells", "told"),
    [
        ("{{ moment }}", "2026-11-27 09:05:00 UTC"),
        ("{{ moment|date }}", "2026-11-27"),
        ("{{ moment|time }}", "09:05:00"),
        ("{{ day }}", "2026-11-27"),
        ("{{ moment|date:'SHORT_DATETIME_FORMAT' }}", "2026-11-27 09:05:00 UTC"),
    ],
)
def test_a_date_looks_the_same_wherever_the_page_is_from(tells, told):
    moment = datetime(2026, 11, 27, 9, 5, tzinfo=UTC)
    assert Template(tells).render(Context({"moment": moment, "day": date(2026, 11, 27)})) == told


def test_no_template_has_a_date_format_of_its_own():
    found = {
        (path.name, chosen)
        for path in TEMPLATES
        for chosen in re.findall(r"""\|(?:date|time):["']([^"']+)["']""", path.read_text())
    }
    assert {each for each in found if each[1] not in FORMATS} == set()


# Of one page, or of what a person has pressed: never a thousand.
FEW = {"rows|length", "firing.times", "calls|length", "pager.shown", "more", "live.open", "live.more_running"}
FEW |= {"desk.checks|length", "found.groups|length", "record_duplicates.left", "original.open_issues|length"}


def test_a_number_of_rows_is_told_with_its_thousands_apart():
    found = {
        (path.name, number)
        for path in TEMPLATES
        for name, number, text in COUNTED.findall(path.read_text())
        if f"{{{{ {name} }}}}" in text
    }
    assert {each for each in found if each[1] not in FEW} == set()
