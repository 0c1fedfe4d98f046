from django.db import migrations, models

WISHES = [
    ("always", "always, each run of my schedules too"),
    ("own", "when a run that I started has ended, or something went wrong"),
    ("failure", "only when something went wrong"),
    ("never", "never"),
]


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_notices_and_preferences")]

    operations = [
        migrations.AlterField(
            "preference", "bell", models.CharField("bell", max_length=7, choices=WISHES, default="own")
        ),
        migrations.AlterField(
            "preference", "email", models.CharField("e-mail", max_length=7, choices=WISHES, default="failure")
        ),
    ]
