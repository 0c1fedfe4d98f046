"""What an upgrade does beside the version before, which works on with the new tables until it is restarted."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import AddField, DeleteModel, Migration, RemoveField, RenameField, RenameModel
from django.db.migrations.loader import MigrationLoader
from django.db.models import TextField
from django_celery_results.models import TaskResult

from backoffice.management.commands import migrate
from backoffice.results.models import Activity
from backoffice.runs.models import Chunk, Run, RunItem, Worker
from tests.faults.counts import assert_all_succeeded, finished, some_are_done, wait_finished
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes
from tests.servers import wait_until
from tests.workers import database_url, running_worker

OURS = {config.label for config in apps.get_app_configs() if config.name.startswith("backoffice.")} | {"records"}
LANDED = {"records.0002_issue_codes"}  # before this rule, and with all that is upgraded from


def ours() -> Iterator[Migration]:
    known = MigrationLoader(None).disk_migrations
    yield from (known[name] for name in sorted(known) if name[0] in OURS and str(known[name]) not in LANDED)


def unknown_to_the_version_before(step: object) -> bool:
    """Whether it names what is gone, or leaves out what must be there, once this step is done."""
    if isinstance(step, AddField):
        return not (step.field.many_to_many or step.field.null or step.field.has_db_default())
    return isinstance(step, RemoveField | DeleteModel | RenameField | RenameModel)


@pytest.mark.parametrize("migration", list(ours()), ids=str)
def test_the_version_before_writes_what_a_migration_leaves(migration):
    refused = [step.describe() for step in migration.operations if unknown_to_the_version_before(step)]
    assert not refused, "give the column a db_default, and take away in a version after: old processes are at work"


@pytest.fixture
def long_transaction(is_sqlite):
    """Somebody who has looked at the workers, and then went for a coffee."""
    if is_sqlite:
        pytest.skip("SQLite has one writer, and a limit for who waits for it")
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT * FROM runs_worker")
        yield other


@pytest.fixture
def one_migration_back():
    call_command("migrate", "runs", "0004", verbosity=0)
    yield
    call_command("migrate", verbosity=0)


@pytest.fixture
def brief_waits(monkeypatch):
    monkeypatch.setattr(migrate, "WAIT", 0.5)
    monkeypatch.setattr(migrate, "PAUSE", 0.2)


@pytest.mark.django_db(transaction=True)
def test_a_migration_beside_a_long_transaction_gives_up_and_says_whose_it_is(
    one_migration_back, long_transaction, brief_waits, monkeypatch
):
    monkeypatch.setattr(migrate, "TRIES", 2)
    with pytest.raises(
        CommandError, match=f"process {long_transaction.info.backend_pid} of .* SELECT . FROM runs_worker"
    ):
        call_command("migrate", verbosity=0, stderr=StringIO())
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.django_db(transaction=True)
def test_while_a_migration_waits_for_a_table_others_get_through(one_migration_back, long_transaction, brief_waits):
    def migrated():
        try:
            call_command("migrate", verbosity=0, stderr=StringIO())
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool, psycopg.connect(database_url(), autocommit=True) as third:
        going_on = pool.submit(migrated)
        wait_until(lambda: waits_for_table(third), 10, what="the migration in the queue")
        third.execute("SET statement_timeout = '5s'")
        third.execute("SELECT count(*) FROM runs_worker")
        long_transaction.rollback()
        going_on.result(30)
        third.execute("SELECT clock FROM runs_worker")


def waits_for_table(third):
    return third.execute("SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted").fetchone()


@pytest.fixture
def later_columns(transactional_db):
    """Adds to every table of the engine a column as the next version's migrations would."""
    models = [Run, RunItem, Chunk, Worker, TaskResult, Activity, Probe]

    def change(step: str) -> None:
        for model in models:
            later = TextField(default="", db_default="")
            later.set_attributes_from_name("later")
            later.model = model
            with connection.schema_editor() as editor:
                getattr(editor, step)(model, later)

    yield lambda: change("add_field")
    change("remove_field")


@pytest.mark.processes
def test_a_worker_and_a_click_go_on_while_tables_get_columns_unknown_to_them(later_columns):
    probes(400, behaviour="slow")
    with running_worker(PROBE_SECONDS="0.02"):
        run = poke_all()
        wait_until(lambda: some_are_done(20), what="some done")
        later_columns()
        assert not finished(run), "it was to be at work still"
        assert_all_succeeded(wait_finished(run), 400)
        probes(20, behaviour="fine")
        assert wait_finished(poke_all()).succeeded == 420
