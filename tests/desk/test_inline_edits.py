"""Two people edit the rows of one inline: the second one is told."""

import pytest
from django.contrib import admin
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from unfold.admin import ModelAdmin, TabularInline

from backoffice.runs.pages.staff import StaffAdmin
from tests.desk.parts.listed import Page
from tests.desk.test_edits import open_page, schedule, sign_in


class SchedulesInline(TabularInline):
    model = PeriodicTask
    fields = ("name", "task", "description")
    extra = 0


class WithInlineAdmin(StaffAdmin, ModelAdmin):
    inlines = (SchedulesInline,)


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch, client: Client) -> tuple[IntervalSchedule, PeriodicTask]:
    sign_in(client)
    monkeypatch.setattr(type(admin.site._registry[IntervalSchedule]), "inlines", WithInlineAdmin.inlines)
    row = schedule()
    return row.interval, row


@pytest.mark.django_db
def test_a_row_of_an_inline_is_not_written_over(client: Client, inline):
    every, row = inline
    url, sent = open_page(client, every)
    assert sent["periodictask_set-seen"] != [""]
    PeriodicTask.objects.filter(pk=row.pk).update(description="Meanwhile")
    answer = client.post(url, sent | {"periodictask_set-0-description": "Typed"})
    assert "Somebody changed these rows" in answer.text
    assert PeriodicTask.objects.get(pk=row.pk).description == "Meanwhile"
    again = dict(Page(answer.text).forms[-1].fields)
    assert client.post(url, sent | {"periodictask_set-seen": again["periodictask_set-seen"]}).status_code == 302


@pytest.mark.django_db
def test_a_row_that_came_to_an_inline_meanwhile_is_told(client: Client, inline):
    every, _row = inline
    url, sent = open_page(client, every)
    PeriodicTask.objects.create(name="New", task="records.tasks.add", interval=every)
    assert "Somebody changed these rows" in client.post(url, sent).text


@pytest.mark.django_db
def test_an_inline_that_nobody_touched_is_saved(client: Client, inline):
    every, row = inline
    url, sent = open_page(client, every)
    assert client.post(url, sent | {"periodictask_set-0-description": "Typed"}).status_code == 302
    assert PeriodicTask.objects.get(pk=row.pk).description == "Typed"
