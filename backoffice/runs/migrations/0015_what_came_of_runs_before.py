from collections.abc import Iterator
from typing import Any

from django.db import migrations, transaction
from django.db.models import Exists, OuterRef, Q

from backoffice.runs.counting import again

AT_ONCE = 100


def count(apps: Any, schema_editor: Any) -> None:
    """Each run is counted in a transaction of its own: begun again, it goes on."""
    using = schema_editor.connection.alias
    items, tallies = (apps.get_model("runs", name).objects.using(using) for name in ("RunItem", "Tally"))
    for pk in uncounted(apps, using):
        own = items.filter(run_id=pk)
        while put_into_groups(own, using):
            pass
        with transaction.atomic(using):
            # Locked, as by whoever counts along: what they have added by now is among the items.
            apps.get_model("runs", "Run").objects.using(using).select_for_update().get(pk=pk)
            again.write(tallies, pk, again.counted(own))


def put_into_groups(items: Any, using: str) -> int:
    with transaction.atomic(using):
        return again.group(items)


def uncounted(apps: Any, using: str) -> Iterator[int]:
    """Those that have come to something; of which retention took the records nothing is known."""
    ended = Q(state__in=("SUCCESS", "FAILURE"))
    runs = apps.get_model("runs", "Run").objects.using(using).filter(
        Exists(apps.get_model("runs", "RunItem").objects.filter(ended, run_id=OuterRef("pk"))),
        ~Exists(apps.get_model("runs", "Tally").objects.filter(run_id=OuterRef("pk"))),
    )  # fmt: skip
    last = 0
    while found := list(runs.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        yield from found
        last = found[-1]


class Migration(migrations.Migration):
    """Runs of the time before tallies are counted. Going back leaves them there, which loses nothing."""

    atomic = False  # a transaction for each slice: others wait for no million

    dependencies = [("runs", "0014_what_the_records_of_a_run_came_to")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop, elidable=True)]
