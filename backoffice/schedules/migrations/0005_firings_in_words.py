from django.db import migrations, models

STATES = [("waiting", "pending"), ("sent", "sent"), ("skipped", "skipped")]


class Migration(migrations.Migration):
    """Firings are shown as pending and skipped; the stored values stay. The database has nothing to do."""

    dependencies = [("schedules", "0004_what_the_code_said_of_a_schedule")]

    operations = [
        migrations.AlterField(
            "firing", "state", models.CharField("state", max_length=7, choices=STATES, default="waiting")
        ),
    ]
