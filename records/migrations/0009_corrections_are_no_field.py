from django.db import migrations


class Migration(migrations.Migration):
    """Corrections give way to change sets: the model has them no longer, and a version after takes the column away."""

    dependencies = [("records", "0008_corrections_are_change_sets")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("yourmodel", "corrections")])
    ]
