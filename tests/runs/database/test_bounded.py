"""A bound on the database's time: what is slow ends, what is quick does not notice, and nothing stays behind."""

import time

import pytest
from django.db import OperationalError, connection, transaction

from backoffice.runs.database.bounded import TooSlow, bounded
from backoffice.runs.models import TaskName

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) SELECT count(*) FROM n"
FOR_EVER, QUICK = 2_000_000_000, 1_000


def count(upto: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [upto])
        return int(cursor.fetchone()[0])


def is_unbounded() -> bool:
    if connection.vendor == "sqlite":
        return getattr(connection, "bounded_until", None) is None and count(10 * QUICK) == 10 * QUICK
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return cursor.fetchone()[0] == "0"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_slow_query_ends_in_a_sentence_and_the_connection_serves_on(in_transaction):
    began = time.monotonic()
    with transaction.atomic() if in_transaction else bounded(60):
        TaskName.objects.create(name="before")
        with pytest.raises(TooSlow, match=r"within 0.2 s"), bounded(0.2):
            count(FOR_EVER)
        assert time.monotonic() - began < 10
        assert TaskName.objects.filter(name="before").exists()
        assert count(QUICK) == QUICK
    assert is_unbounded()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_quick_query_does_not_notice_and_the_bound_is_gone_after_it(in_transaction):
    with transaction.atomic() if in_transaction else bounded(60):
        with bounded(5):
            assert count(QUICK) == QUICK
        if in_transaction:
            assert is_unbounded()
    assert is_unbounded()


@pytest.mark.django_db
def test_another_error_of_the_database_is_not_taken_for_slowness():
    with pytest.raises(OperationalError), bounded(5):
        raise OperationalError("disk I/O error")
    assert is_unbounded()
