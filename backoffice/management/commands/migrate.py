"""manage.py migrate, beside processes at work: it waits for a table some seconds at a time, and says for whom.

A migration wants a table for itself, if only for a moment. On PostgreSQL all who come later queue up behind it: one
forgotten transaction, and a migration that waits for its end, would stop every click and every worker.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.utils.translation import gettext as _

WAIT = 4.0  # seconds in the queue for a table; so long others wait behind us
PAUSE = 1.0  # seconds in which those others get through
TRIES = 12
IN_THE_WAY = {"55P03", "40P01"}  # PostgreSQL's lock_not_available and deadlock_detected

OLDEST = """
SELECT pid, usename, application_name, state, round(extract(epoch FROM now() - xact_start)), left(query, 200)
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
ORDER BY xact_start LIMIT 1
"""


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":  # SQLite's writers wait for 20 s and then give up, whoever they are
            super().handle(*args, **options)
            return
        with _bounded(connection):
            for left in reversed(range(TRIES)):
                try:
                    super().handle(*args, **options)  # begins where it left off: each migration is a transaction
                    return
                except OperationalError as exc:
                    if getattr(exc.__cause__, "sqlstate", None) not in IN_THE_WAY:
                        raise
                    self._wait(_in_the_way(connection), left)

    def _wait(self, who: str, left: int) -> None:
        if not left:
            told = _(
                "A table is in use. In the way is probably %(who)s. End it and migrate again; what was migrated stays."
            )
            raise CommandError(told % {"who": who})
        self.stderr.write(_("\nA table is in use; in the way is probably %(who)s. Trying again.") % {"who": who})
        time.sleep(PAUSE)


@contextmanager
def _bounded(connection: Any) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        before = cursor.fetchone()[0]
    _set(connection, f"{WAIT * 1000:.0f}")
    try:
        yield
    finally:
        _set(connection, before)


def _set(connection: Any, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [value])


def _in_the_way(connection: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(OLDEST)
        found = cursor.fetchone()
    if found is None:
        return _("nobody any more")
    names = ("pid", "user", "program", "state", "seconds", "query")
    told = _("process %(pid)s of %(user)s (%(program)s, %(state)s, in a transaction for %(seconds)d s: %(query)s)")
    return told % dict(zip(names, found, strict=True))
