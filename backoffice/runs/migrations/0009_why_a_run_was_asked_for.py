from django.db import migrations, models


class Migration(migrations.Migration):
    """A sentence of whoever asked; the runs there are have none."""

    dependencies = [("runs", "0008_states_in_words")]

    operations = [
        migrations.AddField(
            "run", "reason", models.TextField("reason", blank=True, default="", db_default=""),
        ),
    ]
