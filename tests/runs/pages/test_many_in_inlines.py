"""Rows that a record names by the many, edited on a page beside or above it, are logged as an edit of the record."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import RequestFactory
from unfold.admin import ModelAdmin, TabularInline

from backoffice.results.models import Activity
from backoffice.runs.seam import ProcessableAdmin
from tests import factories
from tests.probe.models import Part, Probe

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("where", ["a row of another page", "the rows between them"])
def test_rows_named_by_the_many_have_theirs_in_inlines(where):
    row = Part.objects.create(whole=Probe.objects.create(), name="n")
    old, new = (Group.objects.create(name=name) for name in ("old", "new"))
    row.groups.add(old)
    inline, parent, prefix, first, typed = {
        "a row of another page": (Part, row.whole, "parts", row.pk, {"groups": [new.pk]}),
        "the rows between them": (Part.groups.through, row, "Part_groups", Part.groups.through.objects.get().pk,
                                  {"group": new.pk}),
    }[where]  # fmt: skip
    sent = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 1, "0-id": first, **{f"0-{name}": pk for name, pk in typed.items()}}
    request = RequestFactory().post("/")
    request.user = factories.user(is_superuser=True)
    shown = type("Shown", (ProcessableAdmin, ModelAdmin), {"fields": ()})(type(parent), admin.site)
    rows = type("Rows", (TabularInline,), {"model": inline, "fields": tuple(typed)})(type(parent), admin.site)
    made = rows.get_formset(request, parent)(
        data={f"{prefix}-{name}": pk for name, pk in sent.items()}, instance=parent
    )
    assert made.is_valid(), made.errors
    form = shown.get_form(request, parent, change=True)(data={}, instance=parent)
    shown.save_formset(request, form, made, change=True)
    assert Activity.objects.filter(verb="record.edited").values_list("target", "details").get() == (
        "n", {"changes": {"groups": [[f"old ({old.pk})"], [f"new ({new.pk})"]]}},
    )  # fmt: skip
