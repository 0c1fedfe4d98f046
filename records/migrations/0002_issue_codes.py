from django.db import migrations, models


class Migration(migrations.Migration):
    """The combination of a record's issue codes: add."""

    dependencies = [("records", "0001_initial")]

    operations = [
        migrations.AddField("yourmodel", "issue_codes", models.TextField(blank=True, default="", editable=False)),
    ]
