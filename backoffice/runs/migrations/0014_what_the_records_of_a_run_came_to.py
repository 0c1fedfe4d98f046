import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Tables for how many records of a run came to one outcome, and which failures are alike; both still empty."""

    dependencies = [
        ("runs", "0013_undo"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "kind", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tallies",
                        to="runs.run",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("outcome", "outcome"), ("failure", "failure")], max_length=7),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="The outcome's label, or the group of the failures.", max_length=100
                    ),
                ),
                ("words", models.TextField(default="", help_text="Of failures: what they have in common.")),
                ("number", models.PositiveIntegerField()),
            ],
            options={
                "verbose_name": "tally",
                "verbose_name_plural": "tallies",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="runitem",
            name="alike",
            field=models.CharField(help_text="The group of failures like it.", max_length=16, null=True),
        ),
    ]
