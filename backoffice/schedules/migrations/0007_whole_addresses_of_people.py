from django.db import migrations, models


class Migration(migrations.Migration):
    """Who pressed Run now is looked up by what they sign in with, which may be an e-mail address."""

    dependencies = [("schedules", "0006_what_set_up_gave_to_groups")]

    operations = [
        migrations.AlterField(
            "firing",
            "by",
            models.CharField("by", max_length=254, blank=True, default="", help_text="Who pressed Run now."),
        ),
    ]
