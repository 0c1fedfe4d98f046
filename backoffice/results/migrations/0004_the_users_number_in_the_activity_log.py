from django.db import migrations, models


class Migration(migrations.Migration):
    """Nullable and without an index: added at once, however long the log is."""

    dependencies = [("results", "0003_outcomes_that_redis_was_not_told")]

    operations = [
        migrations.AddField(
            "activity",
            "actor_id",
            models.BigIntegerField(
                null=True,
                verbose_name="user",
                help_text="The user's number, which stays when the name does not. Empty: the machine.",
            ),
        )
    ]
