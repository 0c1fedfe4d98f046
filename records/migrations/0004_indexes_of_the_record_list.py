from django.db import migrations, models


class Migration(migrations.Migration):
    """Filters find in the list's order, and the columns that staff sort by have an index."""

    dependencies = [("records", "0003_fill_issue_codes")]

    operations = [
        migrations.RemoveIndex("yourmodel", name="record_verdict"),
        migrations.RemoveIndex("yourmodel", name="record_processed"),
        migrations.AddIndex("yourmodel", models.Index(fields=["verdict", "reference"], name="record_verdict")),
        migrations.AddIndex("yourmodel", models.Index(fields=["processed", "reference"], name="record_processed")),
        migrations.AddIndex("yourmodel", models.Index(fields=["role", "reference"], name="record_role")),
        migrations.AddIndex("yourmodel", models.Index(fields=["issue_codes"], name="record_issue_codes")),
        migrations.AddIndex("yourmodel", models.Index(fields=["name"], name="record_name")),
        migrations.AddIndex("yourmodel", models.Index(fields=["processed_at"], name="record_processed_at")),
    ]
