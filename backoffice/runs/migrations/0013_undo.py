import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Runs that take back what another one changed; the runs there are do not."""

    dependencies = [
        ("runs", "0012_which_records_may_be_the_same"),
    ]

    operations = [
        migrations.CreateModel(
            name="LeftAlone",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "record_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="left_alone",
                        to="runs.run",
                    ),
                ),
                ("record_id", models.BigIntegerField()),
                (
                    "fields",
                    models.TextField(blank=True, default="", help_text="Names, with a blank on both sides of each."),
                ),
                ("before", models.TextField(default="[]", help_text="JSON: a value for each field.")),
                ("after", models.TextField(default="[]")),
                ("now", models.TextField(default="[]")),
            ],
            options={
                "verbose_name": "record left alone",
                "verbose_name_plural": "records left alone",
                "default_permissions": (),
            },
        ),
        migrations.AlterModelOptions(
            name="run",
            options={
                "ordering": ["-pk"],
                "permissions": [
                    ("cancel_run", "Can cancel runs"),
                    ("retry_run", "Can retry the failed records of runs"),
                    ("undo_run", "Can undo runs"),
                ],
                "verbose_name": "run",
                "verbose_name_plural": "runs",
            },
        ),
        migrations.AddField(
            model_name="changeset",
            name="others",
            field=models.CharField(
                db_default="",
                default="",
                help_text="Digest of what else outcomes are made of, where the record ceased to be processed by this.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="conflicts",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Those of the cancelled records that had changed since.",
                verbose_name="left alone",
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="purpose",
            field=models.CharField(
                choices=[("real", "real"), ("undo", "undo")],
                db_default="real",
                default="real",
                max_length=9,
                verbose_name="purpose",
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="undoes",
            field=models.ForeignKey(
                db_index=False,
                help_text="What an undo takes back.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="undone_by",
                to="runs.run",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(condition=models.Q(("undoes__isnull", False)), fields=["undoes"], name="run_undone_by"),
        ),
    ]
