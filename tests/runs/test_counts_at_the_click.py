"""What a click counts while somebody deletes the records."""

import pytest
from django.db.models import Q

from backoffice.runs import snapshot
from backoffice.runs.registry import find
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes
from tests.runs.races import beside

pytestmark = pytest.mark.django_db(transaction=True)


def test_records_deleted_while_a_click_counts_them_make_no_negative_number(monkeypatch, is_sqlite):
    if is_sqlite:
        pytest.skip("SQLite has one writer: nobody deletes in the middle of a click")
    monkeypatch.setattr(find("poke"), "eligible", Q(processed=False))
    probes(5)
    original = snapshot._insert_on_postgresql

    def then_deleted(*args):
        found = original(*args)
        beside(lambda: Probe.objects.all().delete())
        return found

    monkeypatch.setattr(snapshot, "_insert_on_postgresql", then_deleted)
    run = poke_all()
    assert (run.total, run.skipped) == (5, 0)
