"""The tables between tests that really commit.

Django empties every table, then `migrate`'s last word makes 400 permissions and content types anew: a fifth of a second
after each test. Only tables that hold something are emptied here, and what `migrate` wrote stays while it is unchanged.
"""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase

WRITTEN_BY_MIGRATE = (ContentType, Permission)


def patch(patches: pytest.MonkeyPatch) -> None:
    """Called when the tables are as `migrate` left them."""
    written = _written()
    flush = TransactionTestCase._fixture_teardown

    def empty(test: TransactionTestCase) -> None:
        if _written() != written:
            flush(test)
        else:
            with transaction.atomic():  # begun before it looks: on SQLite nobody writes in between
                _empty(_filled())

    patches.setattr(TransactionTestCase, "_fixture_teardown", empty)


def _written() -> list[list[tuple[object, ...]]]:
    return [list(model.objects.order_by("pk").values_list()) for model in WRITTEN_BY_MIGRATE]


def _filled() -> list[str]:
    kept = {model._meta.db_table for model in WRITTEN_BY_MIGRATE}
    names = sorted({*connection.introspection.django_table_names(include_views=False)} - kept)
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {_quoted(name)})" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return [name for (name,) in cursor.fetchall()]


def _empty(names: list[str]) -> None:
    """By DELETE: of a few rows it costs PostgreSQL a hundredth of what TRUNCATE does."""
    connection.ops.execute_sql_flush([f"DELETE FROM {_quoted(name)}" for name in names])


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))
