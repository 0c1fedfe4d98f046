"""One date format, one number format, one word for a thing: wherever a page says it."""

import re
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils.html import strip_tags
from django.utils.text import capfirst

from records.checks import codes
from records.models import YourModel
from tests.factories import member, user

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


def way_to(text: str) -> list[str]:
    """The words of a page's breadcrumbs."""
    heading = re.sub(r'<span class="material-symbols[^>]*>[^<]*</span>', "|", re.search(r"<h1.*?</h1>", text, re.S)[0])
    return [" ".join(part.split()) for part in unescape(strip_tags(heading)).split("|")]


@pytest.mark.django_db
@pytest.mark.once
def test_a_page_is_called_the_same_in_menu_breadcrumbs_and_title(client):
    client.force_login(user(is_superuser=True))
    groups = client.get("/admin/").context["sidebar_navigation"]
    wrong = []
    for group in groups:
        for item in (each for each in group["items"] if "?" not in each["link"]):  # which have their filter behind
            text = client.get(item["link"]).text
            title = " ".join(unescape(re.search(r"<title>(.*?)</title>", text, re.S)[1]).split())
            way = way_to(text)
            if (title, way[-1]) != (f"{item['title']} | backoffice", item["title"]) or len(set(way)) < len(way):
                wrong.append((item["title"], title, way))
            assert text.count("<main ") == 1
            assert re.search(r"<(a|button)\b[^>]*>", text)[0] == '<a class="bo-skip" href="#begin">'
            if len(way) > 1 and way[0] != group["title"]:
                wrong.append((group["title"], way))
    assert wrong == []


@pytest.mark.django_db
def test_lists_of_timings_are_offered_to_who_can_change_them_alone(client):
    def offered(group: str) -> set[str]:
        client.force_login(member(group))
        apps = client.get("/admin/").context["app_list"]
        return {model["object_name"] for app in apps for model in app["models"]}

    timings = {"CrontabSchedule", "ClockedSchedule", "IntervalSchedule", "SolarSchedule"}
    assert not timings & offered("Auditor")
    assert client.get("/admin/django_celery_beat/crontabschedule/").status_code == 200


def test_a_field_is_called_as_its_issues_call_it():
    labels = {code.partition(".")[0]: label.partition(":")[0] for code, label in codes().items()}
    named = {field.name: capfirst(str(field.verbose_name)) for field in YourModel._meta.fields}
    assert {name: named[name] for name in labels if name in named} == {n: w for n, w in labels.items() if n in named}
