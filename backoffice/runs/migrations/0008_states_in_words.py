from django.db import migrations, models

STATES = [
    ("PENDING", "pending"),
    ("STARTED", "in progress"),
    ("RETRY", "waiting to retry"),
    ("SUCCESS", "succeeded"),
    ("FAILURE", "failed"),
    ("REVOKED", "cancelled"),
]


class Migration(migrations.Migration):
    """What is begun is shown as in progress; the stored value stays. The database has nothing to do."""

    dependencies = [("runs", "0007_events_of_runs")]

    operations = [
        migrations.AlterField("run", "state", models.CharField("state", max_length=8, choices=STATES, default="PENDING")),
        migrations.AlterField("runitem", "state", models.CharField(max_length=8, choices=STATES, default="PENDING")),
    ]
