"""Holds SQLite's write lock:  python -m tests.faults.hold_lock SECONDS"""

import sys
import time

import django


def main() -> None:
    django.setup()
    from django.db import connection, transaction

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE runs_worker SET concurrency = concurrency WHERE 1 = 0")
        print("held", flush=True)
        time.sleep(float(sys.argv[1]))


if __name__ == "__main__":
    main()
