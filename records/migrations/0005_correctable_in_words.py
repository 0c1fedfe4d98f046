from django.db import migrations, models

VERDICTS = [("valid", "valid"), ("corrected", "correctable"), ("review", "review"), ("invalid", "invalid")]


class Migration(migrations.Migration):
    """The verdict is shown as "correctable"; the stored value stays. The database has nothing to do."""

    dependencies = [("records", "0004_indexes_of_the_record_list")]

    operations = [
        migrations.AlterField(
            "yourmodel",
            "verdict",
            models.CharField("verdict", max_length=9, choices=VERDICTS, blank=True, editable=False),
        ),
    ]
