from django.db import migrations, models
from django.db.models import JSONField, Value


class Migration(migrations.Migration):
    """Corrections give way to change sets. The column stays while the version before is at work and writes it."""

    dependencies = [("records", "0006_a_person_accepts_issues")]

    operations = [
        migrations.AlterField(
            "yourmodel",
            "corrections",
            models.JSONField(
                "corrections", default=list, db_default=Value([], JSONField()), blank=True, editable=False
            ),
        ),
    ]
