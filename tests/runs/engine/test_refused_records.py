"""What a record says or writes may be refused by the database: it fails alone, once, and in the database's words."""

import pytest
from celery.result import AsyncResult
from django.db import OperationalError, connection
from django_celery_results.models import TaskResult

from backoffice.runs.doctor.compare import measure
from backoffice.runs.engine import claims, give_back
from backoffice.runs.engine.wording import LAST_WORD
from backoffice.runs.models import Chunk, RunItem, State
from backoffice.runs.registry import CLAIMS
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.runs.factories import item, poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refusing(is_sqlite):
    """A trigger that refuses the record called "bad"; on PostgreSQL with the code it is given."""

    def refuse(code: str) -> None:
        with connection.cursor() as cursor:
            for statement in SQLITE if is_sqlite else POSTGRESQL:
                cursor.execute(statement.replace("'CODE'", f"'{code}'"))

    yield refuse
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS refuse" + ("" if is_sqlite else " ON probe_probe"))


SQLITE = ["CREATE TRIGGER refuse BEFORE UPDATE ON probe_probe WHEN NEW.text = 'bad' BEGIN SELECT json('{refused'); END"]
POSTGRESQL = [
    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'refused: malformed JSON' USING ERRCODE = 'CODE'; END $$",
    "CREATE TRIGGER refuse BEFORE UPDATE ON probe_probe FOR EACH ROW WHEN (NEW.text = 'bad') EXECUTE FUNCTION refuse()",
]
LASTING = ["54000", "55000", "38000", "39000", "2F002", "P0001", "22003", "23514", "42883", "XX000"]
PASSING = ["40001", "57014", "53100", "55P03", "08006"]


def with_one_bad():
    probes(4)
    return Probe.objects.create(text="bad")


def work_off_with_sweeps(run, limit=60):
    """As workers, beat and waiting would; what an outage raises is the message's own end."""
    for _ in range(limit):
        try:
            work_off(run)
        except OperationalError:
            for chunk in Chunk.objects.exclude(claimed_at=None):
                give_back.lost(chunk.pk, charge=False)  # as the main process does
        RunItem.objects.filter(state=State.RETRY).update(due_at="2020-01-01T00:00Z")
        sweep()
        run.refresh_from_db()
        if run.finished_at:
            return run
    raise AssertionError("the run does not end")


def assert_one_failed(run, bad):
    assert (run.state, run.succeeded, run.failed) == (State.FAILURE, 4, 1)
    row = TaskResult.objects.get(task_id=run.item_task_id(bad.pk))
    assert row.status == AsyncResult(row.task_id).state == item(run, bad).state == "FAILURE"
    assert item(run, bad).attempts <= CLAIMS
    assert measure().total == 0


@pytest.mark.parametrize("code", LASTING)
def test_what_the_database_refuses_for_ever_is_that_records_failure_in_the_databases_words(code, refusing, is_sqlite):
    if is_sqlite and code != LASTING[0]:
        pytest.skip("SQLite has one code for it")
    bad = with_one_bad()
    refusing(code)
    run = work_off(poke_all())
    assert_one_failed(run, bad)
    assert item(run, bad).attempts <= 2  # with the others, and alone
    assert "malformed JSON" in item(run, bad).error


@pytest.mark.parametrize("code", PASSING)
def test_an_outage_that_meets_one_record_alone_is_tried_again_and_then_its_failure(code, refusing, is_sqlite):
    if is_sqlite:
        pytest.skip("SQLite has no way to raise it from a trigger")
    bad = with_one_bad()
    refusing(code)
    run = work_off_with_sweeps(poke_all())
    assert_one_failed(run, bad)
    assert item(run, bad).retries == 2
    assert "malformed JSON" in item(run, bad).error


@pytest.mark.parametrize(
    "behaviour", ["foreign_error", "foreign_outcome", "without_words", "not_printable", "broken_error", "unwritable"]
)
def test_foreign_text_and_errors_without_words_end_in_one_claim_each(behaviour):
    probes(4)
    (bad,) = probes(1, behaviour=behaviour)
    run = work_off(poke_all(), limit=10)
    found = item(run, bad)
    assert run.finished_at is not None
    assert found.state == (State.SUCCESS if behaviour == "foreign_outcome" else State.FAILURE)
    assert found.attempts <= 2
    for text in (found.error, found.outcome, TaskResult.objects.get(task_id=run.item_task_id(bad.pk)).traceback or ""):
        assert "\x00" not in text
    if behaviour.startswith("foreign"):
        assert r"file \udce4.csv, \x00, xxx" in found.error + found.outcome
        assert len(found.error) <= 2_000
    assert AsyncResult(found.task_id).state == found.state
    assert measure().total == 0


def test_a_fields_own_error_is_no_outage_whatever_its_class():
    probes(4)
    (bad,) = probes(1, behaviour="locked_value")
    run = work_off_with_sweeps(poke_all())
    assert_one_failed(run, bad)
    assert "no such thing" in item(run, bad).error


def test_the_last_word_has_no_foreign_one(refusing, is_sqlite):
    bad = with_one_bad()
    refusing("54000")
    with connection.cursor() as cursor:
        for statement in NO_WORDS_ON_SQLITE if is_sqlite else NO_WORDS_ON_POSTGRESQL:
            cursor.execute(statement)
    try:
        run = work_off(poke_all(), limit=20)
        assert_one_failed(run, bad)
        assert item(run, bad).error == LAST_WORD
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER no_words" + ("" if is_sqlite else " ON runs_runitem"))


NO_WORDS_ON_SQLITE = [
    "CREATE TRIGGER no_words BEFORE UPDATE ON runs_runitem WHEN NEW.error LIKE '%malformed%'"
    " BEGIN SELECT json('{malformed'); END"
]
NO_WORDS_ON_POSTGRESQL = [
    "CREATE TRIGGER no_words BEFORE UPDATE ON runs_runitem FOR EACH ROW WHEN (NEW.error LIKE '%malformed%')"
    " EXECUTE FUNCTION refuse()"
]


@pytest.mark.parametrize("way", ["lost", "given back and begun"])
def test_no_record_is_claimed_more_often_than_the_bound_whatever_the_way_back(way):
    (probe,) = probes(1)
    run = poke_all()
    for _ in range(3 * CLAIMS):
        chunk = Chunk.objects.unclaimed().filter(run=run).first()
        if chunk is None:
            break
        claimed, _items = claims.claim(chunk.pk)
        if way == "lost":
            give_back.lost(claimed.pk, "the connection was lost", charge=False)
        else:
            RunItem.objects.update(attempts=RunItem.objects.get().attempts + 1)
            give_back.unworked(claimed, 1)
    run.refresh_from_db()
    found = item(run, probe)
    assert (run.state, found.state, found.attempts <= CLAIMS + 1) == (State.FAILURE, State.FAILURE, True)
    assert f"record {probe.pk} was begun" in found.error
    assert TaskResult.objects.get().status == "FAILURE"
    assert measure().total == 0


def test_a_record_that_an_older_version_claimed_without_end_comes_to_one():
    probes(1)
    run = poke_all()
    RunItem.objects.update(attempts=32_767)
    assert work_off(run).state == State.SUCCESS
