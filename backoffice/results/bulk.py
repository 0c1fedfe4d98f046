"""Many rows in one statement, on both databases.

Django's bulk_update costs 420 to 525 us a row, executemany (SQLite) and unnest (PostgreSQL) 18 to 58.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

Row = Sequence[Any]


def update(
    model: type[models.Model], fields: Sequence[str], keys: Sequence[str], rows: Sequence[Row], where: str = ""
) -> int:
    """Set `fields` of the rows found by `keys`; each row holds the fields' values, then the keys'.

    `where` is SQL of our own, added to the condition. Returns how many rows were changed.
    """
    if not rows:
        return 0
    table = connection.ops.quote_name(model._meta.db_table)
    columns = _columns(model, [*fields, *keys])
    values = [_prepared(model, [*fields, *keys], row) for row in rows]
    extra = f" AND {where}" if where else ""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            assignments = ", ".join(f"{column} = %s" for column in columns[: len(fields)])
            match = " AND ".join(f"{column} = %s" for column in columns[len(fields) :])
            cursor.executemany(f"UPDATE {table} SET {assignments} WHERE {match}{extra}", values)  # noqa: S608
        else:
            assignments = ", ".join(f"{column} = v.{column}" for column in columns[: len(fields)])
            match = " AND ".join(f"{table}.{column} = v.{column}" for column in columns[len(fields) :])
            source = f"unnest({_arrays(model, [*fields, *keys])}) AS v({', '.join(columns)})"
            cursor.execute(
                f"UPDATE {table} SET {assignments} FROM {source} WHERE {match}{extra}",  # noqa: S608
                [list(column) for column in zip(*values, strict=True)],
            )
        return int(cursor.rowcount)


def insert(model: type[models.Model], fields: Sequence[str], rows: Sequence[Row], conflict: str = "") -> None:
    """Insert rows; `conflict` is an ON CONFLICT clause of our own."""
    if not rows:
        return
    table = connection.ops.quote_name(model._meta.db_table)
    columns = _columns(model, fields)
    values = [_prepared(model, fields, row) for row in rows]
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"{into} VALUES ({marks}) {conflict}", values)
        else:
            cursor.execute(
                f"{into} SELECT * FROM unnest({_arrays(model, fields)}) {conflict}",  # noqa: S608
                [list(column) for column in zip(*values, strict=True)],
            )


def _columns(model: type[models.Model], fields: Sequence[str]) -> list[str]:
    return [connection.ops.quote_name(_field(model, name).column) for name in fields]


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _prepared(model: type[models.Model], fields: Sequence[str], row: Row) -> list[Any]:
    return [_field(model, name).get_db_prep_save(value, connection) for name, value in zip(fields, row, strict=True)]


def _arrays(model: type[models.Model], fields: Sequence[str]) -> str:
    return ", ".join(f"%s::{_array_type(_field(model, name))}[]" for name in fields)


def _array_type(field: Any) -> str:
    kind = str(
        (field.target_field if field.is_relation else field).rel_db_type(connection) or field.db_type(connection)
    )
    # A cast to varchar(n) would cut a long value in silence; text leaves the refusal to the column.
    return "text" if kind.startswith(("varchar", "char")) else kind
