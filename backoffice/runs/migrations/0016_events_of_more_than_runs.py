import django.db.models.deletion
from django.db import migrations, models

KINDS = [("run_finished", "run finished"), ("schedule_off", "schedule turned off"), ("notice", "notice to send")]


class Migration(migrations.Migration):
    dependencies = [("runs", "0015_what_came_of_runs_before")]

    operations = [
        migrations.AlterField("event", "kind", models.CharField(choices=KINDS, max_length=40)),
        migrations.AlterField(
            "event",
            "run",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="events", to="runs.run"
            ),
        ),
        migrations.AddField(
            "event", "about", models.JSONField(null=True, help_text="What it happened to, where that is no run.")
        ),
    ]
