"""Rows that others name by a foreign key, which PostgreSQL asks for only at the commit: too late to do without them.

Who writes the name holds the row first, who deletes the row locks it first: then each sees what the other did.
"""

from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet


def stays(model: type[Model] | Any, pk: Any) -> bool:
    """Whether the row is there, and then it is until this transaction has ended. It may be changed meanwhile."""
    names = connection.ops.quote_name
    share = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""  # SQLite has one writer
    with connection.cursor() as cursor:
        sql = f"SELECT 1 FROM {names(model._meta.db_table)} WHERE {names(str(model._meta.pk.column))} = %s{share}"  # noqa: S608
        cursor.execute(sql, [model._meta.pk.get_db_prep_value(pk, connection)])
        return cursor.fetchone() is not None


def before_deletion(rows: QuerySet[Any]) -> None:
    """In the transaction of the deletion: wait for whoever names one of these, so that it is seen and cleared."""
    list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
