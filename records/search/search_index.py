"""The table behind the record list's search: one text per record, kept by triggers, so that SQL keeps it true, too.

Beside the records and not among their columns: an index on these would be written anew each time a record is processed.
It is made after `migrate`, and made anew when something took its triggers away: SQLite drops them with the old table
whenever a migration rebuilds it.
"""

import hashlib
import logging
import sqlite3
from contextlib import closing
from functools import cache
from typing import Any

from django.db import DatabaseError, connections, transaction

from ..models import YourModel
from . import folding

logger = logging.getLogger(__name__)

FIELDS = ("reference", "name", "tax_id", "email", "town", "phone")
TABLE = "records_search"
TEXT = "records_search_text"  # on SQLite, beside the index of what stands in it
RECORDS = YourModel._meta.db_table
_FTS = f"fts5(text, content='{TEXT}', content_rowid='id', tokenize='trigram', columnsize=0)"


def _text(row: str = "", newline: str = "char(10)") -> str:
    """SQL for what is searched of a record: no word reaches from one field into the next."""
    parts = [*(f"{row}{name}" for name in FIELDS), folding.sql_digits(f"{row}phone")]
    return f" || {newline} || ".join(parts)


_EDITED = " OR ".join(f"old.{name} <> new.{name}" for name in FIELDS)

_TAKE_OUT = f"INSERT INTO {TABLE}({TABLE}, rowid, text) SELECT 'delete', id, text FROM {TEXT} WHERE id = old.id"
_FOLD_NEW = (
    *folding.on_sqlite(TEXT, "id = new.id"),
    f"INSERT INTO {TABLE}(rowid, text) SELECT id, text FROM {TEXT} WHERE id = new.id",
)


def _trigger(name: str, on: str, *statements: str) -> str:
    return f"CREATE TRIGGER {TABLE}_{name} AFTER {on} BEGIN {'; '.join(statements)}; END"


_PUT_IN = f"INSERT INTO {TEXT}(id, text) VALUES (new.id, {_text('new.')})"
_PUT_ANEW = f"UPDATE {TEXT} SET text = {_text('new.')} WHERE id = new.id"
ON_SQLITE = (
    _trigger("added", f"INSERT ON {RECORDS}", _PUT_IN, *_FOLD_NEW),
    _trigger("edited", f"UPDATE OF {', '.join(FIELDS)} ON {RECORDS} WHEN {_EDITED}", _TAKE_OUT, _PUT_ANEW, *_FOLD_NEW),
    _trigger("deleted", f"DELETE ON {RECORDS}", _TAKE_OUT, f"DELETE FROM {TEXT} WHERE id = old.id"),
)

_EACH = f"{TABLE}_folded({_text('new.', newline='chr(10)')})"
_ALL = f"{TABLE}_folded({_text(newline='chr(10)')})"
# Added ones in one statement: an import brings thousands.
ON_POSTGRESQL = (
    folding.on_postgresql(f"{TABLE}_folded"),
    f"CREATE OR REPLACE FUNCTION {TABLE}_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" INSERT INTO {TABLE}(rowid, text) SELECT id, {_ALL} FROM added; RETURN NULL; END $$",
    f"CREATE OR REPLACE FUNCTION {TABLE}_edited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" UPDATE {TABLE} SET text = {_EACH} WHERE rowid = new.id; RETURN NULL; END $$",
    f"CREATE OR REPLACE FUNCTION {TABLE}_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" EXECUTE 'DELETE FROM {TABLE} WHERE rowid IN (SELECT id FROM deleted)'; RETURN NULL; END $$",
    f"CREATE OR REPLACE FUNCTION {TABLE}_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" TRUNCATE {TABLE}; RETURN NULL; END $$",
    f"CREATE OR REPLACE TRIGGER {TABLE}_added AFTER INSERT ON {RECORDS} REFERENCING NEW TABLE AS added"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_added()",
    f"CREATE OR REPLACE TRIGGER {TABLE}_edited AFTER UPDATE OF {', '.join(FIELDS)} ON {RECORDS}"
    f" FOR EACH ROW WHEN ({_EDITED}) EXECUTE FUNCTION {TABLE}_edited()",
    f"CREATE OR REPLACE TRIGGER {TABLE}_deleted AFTER DELETE ON {RECORDS} REFERENCING OLD TABLE AS deleted"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_deleted()",
    f"CREATE OR REPLACE TRIGGER {TABLE}_emptied AFTER TRUNCATE ON {RECORDS}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_emptied()",
)
VERSION = hashlib.sha256("".join(ON_POSTGRESQL).encode()).hexdigest()[:16]


@cache
def has_trigrams() -> bool:
    """Whether this SQLite has FTS5 and its trigrams (since 3.34). Without them a search reads every record."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute(f"CREATE VIRTUAL TABLE {TABLE} USING {_FTS}")
        except sqlite3.OperationalError:
            return False
    return True


def keep(using: str = "default", **_signal: Any) -> None:
    """Make the table, unless it is there as written above: then two questions are asked and nothing is done."""
    connection = connections[using]
    with transaction.atomic(using), connection.cursor() as cursor:
        if RECORDS in connection.introspection.table_names(cursor):
            (_keep_on_postgresql if connection.vendor == "postgresql" else _keep_on_sqlite)(cursor)


def _keep_on_sqlite(cursor: Any) -> None:
    cursor.execute("SELECT sql FROM sqlite_master WHERE name LIKE %s AND type = 'trigger'", [f"{TABLE}%"])
    if {sql for (sql,) in cursor.fetchall()} == set(ON_SQLITE) or not has_trigrams():
        return
    for name in ("added", "edited", "deleted"):
        cursor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_{name}")
    cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
    cursor.execute(f"DROP TABLE IF EXISTS {TEXT}")
    cursor.execute(f"CREATE TABLE {TEXT} (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    cursor.execute(f"CREATE VIRTUAL TABLE {TABLE} USING {_FTS}")
    cursor.execute(f"INSERT INTO {TEXT}(id, text) SELECT id, {_text()} FROM {RECORDS}")
    for statement in folding.on_sqlite(TEXT, "1 = 1"):
        cursor.execute(statement)
    cursor.execute(f"INSERT INTO {TABLE}({TABLE}) VALUES ('rebuild')")
    for statement in ON_SQLITE:
        cursor.execute(statement)


def _keep_on_postgresql(cursor: Any) -> None:
    cursor.execute(
        "SELECT obj_description(to_regclass(%s)::oid),"
        " (SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgname LIKE %s)",
        [TABLE, RECORDS, f"{TABLE}%"],
    )
    if cursor.fetchone() != (VERSION, 4):
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(f"CREATE TABLE {TABLE} (rowid bigint PRIMARY KEY, text text NOT NULL)")
        for statement in ON_POSTGRESQL:
            cursor.execute(statement)
        cursor.execute(f"INSERT INTO {TABLE}(rowid, text) SELECT id, {_ALL} FROM {RECORDS}")
        cursor.execute(f"COMMENT ON TABLE {TABLE} IS '{VERSION}'")
    _index_on_postgresql(cursor)


def _index_on_postgresql(cursor: Any) -> None:
    """The trigrams' index. Whoever may not have the extension searches without it: slowly, and just as well."""
    try:
        with transaction.atomic(cursor.db.alias):
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {TABLE}_trigrams ON {TABLE} USING gin (upper(text) gin_trgm_ops)"
            )
    except DatabaseError as exc:
        logger.warning(
            "Searching records is slow on many of them: PostgreSQL's extension pg_trgm could not be created (%s)."
            " Install its contrib package, or let a superuser run CREATE EXTENSION pg_trgm; then run migrate again.",
            exc,
        )
