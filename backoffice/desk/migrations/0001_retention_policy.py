import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="RetentionPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("results", "task results"), ("items", "records of runs"), ("runs", "runs")],
                        editable=False,
                        max_length=7,
                        unique=True,
                        verbose_name="what",
                    ),
                ),
                (
                    "days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Counted from the end. Empty: kept for ever.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(7),
                            django.core.validators.MaxValueValidator(36500),
                        ],
                        verbose_name="kept for, in days",
                    ),
                ),
            ],
            options={"verbose_name": "retention", "verbose_name_plural": "retention", "ordering": ["pk"]},
        ),
    ]
