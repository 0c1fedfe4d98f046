"""A filter by a field of any kind: a value is taken or refused, on a list's page and by a schedule, and is no error."""

from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.core.exceptions import SuspiciousOperation
from django.test import Client, RequestFactory

from backoffice.runs.pages.lists import LOOKUPS
from backoffice.schedules.rules import selection
from tests.factories import user
from tests.probe.models import Kinds
from tests.properties import some

pytestmark = pytest.mark.django_db
FIELDS = [each.name for each in Kinds._meta.concrete_fields if not each.is_relation]
VALUES = ["", "x", "00:05:00", "5", "-1", "{}", "2026-01-01", "1,2"]


@pytest.fixture
def boss() -> Any:
    return user(is_superuser=True, username="boss")


@pytest.mark.parametrize("name", FIELDS)
def test_a_value_of_any_kind_is_taken_or_refused(boss: Any, name: str):
    request = RequestFactory()
    for query in ({f"{name}__{lookup}": value} for lookup in sorted(LOOKUPS) for value in some(VALUES)):
        with suppress(SuspiciousOperation):
            asked = request.get("/", query)
            asked.user = boss
            len(admin.site._registry[Kinds].get_changelist_instance(asked).result_list)
        for kwargs in ({"filter": query}, {"selection": urlencode(query)}):
            with suppress(selection.BadSelection):
                selection.records(Kinds, kwargs, boss)


def test_a_duration_is_found_by_its_text(client: Client, boss: Any):
    client.force_login(boss)
    made = [Kinds.objects.create(took=timedelta(minutes=each)) for each in (5, 50)]
    shown = client.get("/admin/probe/kinds/", {"took": "00:05:00"}).context["cl"].result_list
    assert list(shown) == made[:1]
    for kwargs in ({"filter": {"took__lt": "00:06:00"}}, {"selection": "took__lt=00:06:00"}):
        assert list(selection.records(Kinds, kwargs, boss)) == made[:1]
