"""Every list of the admin, with a few rows on it, and its page read as a browser reads it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from backoffice.results.activity import log
from backoffice.runs.models import TaskName
from backoffice.schedules.models import Firing
from tests.desk import factories
from tests.factories import processed, record, user
from tests.freight.factories import shipment
from tests.second.models import Invoice

LISTS = sorted(admin.site._registry.values(), key=lambda each: each.model._meta.label)
UNSENT = ("checkbox", "radio", "submit")
each_list = pytest.mark.parametrize("model_admin", LISTS, ids=lambda each: each.model._meta.label)


def url_of(model_admin: Any, page: str = "") -> str:
    opts = model_admin.model._meta
    return f"/admin/{opts.app_label}/{opts.model_name}/{page}"


def one_of_each() -> dict[str, Any]:
    """Rows for every list, some of which filters need to have anything to choose from."""
    call_command("loaddata", "groups", verbosity=0)
    TaskName.objects.get_or_create(name="records.tasks.apply_corrections")
    processed(email="nobody"), record(country="FR"), Invoice.objects.create(number="I1", net=1), shipment()
    run = factories.run(requester=user(), failed=1)
    factories.failure("broken"), factories.group_result(), log("anna", "run.started", run)
    every, _made = IntervalSchedule.objects.get_or_create(every=10, period="minutes")
    schedule = PeriodicTask.objects.create(name="Often", task="records.tasks.add", args="[1, 2]", interval=every)
    Firing.objects.create(schedule=schedule, schedule_name="Often", due_at=timezone.now(), state="sent")
    ClockedSchedule.objects.create(clocked_time=timezone.now()), CrontabSchedule.objects.create(minute="0")
    SolarSchedule.objects.create(event="sunset", latitude=52, longitude=13)
    Group.objects.first()
    return {"run": run, "schedule": schedule, "result": factories.item_result(run, record())}


@dataclass
class Form:
    method: str
    action: str
    id: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """Links and forms; a form's fields are what a browser would send, untouched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.select: dict[str, Any] | None = None
        self.text: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self.form = Form(given.get("method", "get").lower(), given.get("action", ""), given.get("id", ""))
            self.forms.append(self.form)
        elif self.form is None:
            return
        elif tag == "select":
            self.select = {"name": given.get("name", ""), "options": [], "chosen": [], "many": "multiple" in given}
        elif tag == "option" and self.select is not None:
            self.select["options"].append(given.get("value", ""))
            self.select["chosen"] += [given.get("value", "")] if "selected" in given else []
        elif tag == "textarea":
            self.text, self.text_name = "", given.get("name", "")
        elif tag == "input" and given.get("name") and ("checked" in given or given.get("type") not in UNSENT):
            self.form.fields.append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select" and self.select is not None and self.form is not None:
            chosen = self.select["chosen"] or ([] if self.select["many"] else self.select["options"][:1])
            self.form.fields += [(self.select["name"], value) for value in chosen]
            self.select = None
        elif tag == "textarea" and self.text is not None and self.form is not None:
            self.form.fields.append((self.text_name, self.text.removeprefix("\n")))
            self.text = None

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text += data

    def own_links(self) -> list[dict[str, str]]:
        """The queries of the links from a list to itself."""
        parts = [urlsplit(link) for link in self.links]
        return [dict(parse_qsl(part.query)) for part in parts if not part.path and part.query]


def choices_of(spec: Any, changelist: Any) -> dict[str, str]:
    """One value for each thing that a filter asks for."""
    found: dict[str, str] = {}
    for choice in spec.choices(changelist):
        if "form" in choice:
            found |= {bound.html_name: some_value(bound.field) for bound in choice["form"]}
        elif not found and not choice["selected"]:
            query = dict(parse_qsl(choice["query_string"].removeprefix("?")))
            found = {name: value for name, value in query.items() if name in spec.expected_parameters()}
    return found


def some_value(form_field: Any) -> str:
    choices = [value for value, _label in getattr(form_field, "choices", ()) if value]
    if not choices:
        return "2026-01-01" if form_field.widget.attrs.get("type") == "date" else "abc"
    return str(choices[0] if not isinstance(dict(form_field.choices).get(choices[0]), list | tuple)
               else dict(form_field.choices)[choices[0]][0][0])  # fmt: skip
