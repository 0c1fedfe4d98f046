import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("desk", "0004_what_changed_has_an_age"),
    ]

    operations = [
        migrations.CreateModel(
            name="Comparison",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("open", models.BooleanField(default=True, null=True, unique=True)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("asked_by", models.CharField(max_length=150)),
                ("started_at", models.DateTimeField(null=True)),
                (
                    "heard_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="The last word of whoever is at it."
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "since",
                    models.DateTimeField(help_text="Runs that ended later were compared, and open ones.", null=True),
                ),
                ("expected", models.PositiveBigIntegerField(default=0, help_text="Records of these runs.")),
                (
                    "counts",
                    models.JSONField(default=dict, help_text="What was looked at, and of each kind what differs."),
                ),
                ("differences", models.JSONField(default=list, help_text="The first ones.")),
                ("error", models.TextField(blank=True, default="", help_text="Why it came to no end.")),
            ],
            options={
                "verbose_name": "comparison of ledger and results",
                "verbose_name_plural": "comparisons of ledger and results",
                "ordering": ["-pk"],
                "permissions": [("ask_comparison", "Can have ledger and results compared")],
                "default_permissions": ("view",),
            },
        ),
    ]
