from django.db import migrations, models


class Migration(migrations.Migration):
    """A group's permissions are remembered as they were given: what a person took away is not given again."""

    dependencies = [("schedules", "0005_firings_in_words")]

    operations = [
        migrations.AlterModelOptions(
            "seeded", {"verbose_name": "seeded row", "verbose_name_plural": "seeded rows"}
        ),
        migrations.AlterField("seeded", "key", models.CharField(max_length=200, unique=True)),
        migrations.AddField(
            "seeded",
            "given",
            models.JSONField(null=True, help_text="Of a group: its number, and all that it was ever given."),
        ),
    ]
