import re

from django.db import migrations

WORDS, CODE = re.compile(r"Start run (\d+)"), re.compile(r"start-run-(\d+)")
START_DUE = "backoffice.schedules.tasks.start_due_run"


def renamed(apps, old, wanted, new):
    """Of schedules that start a planned run, and of what is known of their firings."""
    schedules = apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task=START_DUE)
    firings = apps.get_model("schedules", "Firing").objects.filter(schedule_name__startswith=wanted)
    for rows, field in ((schedules, "name"), (firings, "schedule_name")):
        for pk, name in list(rows.values_list("pk", field)):
            if found := old.fullmatch(name):
                rows.model.objects.filter(pk=pk).update(**{field: new % found[1]})


def as_codes(apps, schema_editor):
    renamed(apps, WORDS, "Start run ", "start-run-%s")


def as_words(apps, schema_editor):
    renamed(apps, CODE, "start-run-", "Start run %s")


class Migration(migrations.Migration):
    """A schedule that only starts a planned run has a code for a name; pages make words of it."""

    dependencies = [
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("schedules", "0007_whole_addresses_of_people"),
    ]

    operations = [migrations.RunPython(as_codes, as_words, elidable=True)]
