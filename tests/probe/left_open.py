"""The ways to leave a transaction open."""

from collections.abc import Callable

from django.db import DatabaseError, connection, transaction


def by_hand() -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")


def failed() -> None:
    transaction.set_autocommit(False)
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT nothing_of_that_name")
        except DatabaseError:
            return


LEFT: dict[str, Callable[[], object]] = {
    "a block": lambda: transaction.atomic().__enter__(),
    "no autocommit": lambda: transaction.set_autocommit(False),
    "by hand": by_hand,
    "failed": failed,
}
