from django.db import migrations, models

KINDS = [
    ("results", "task results"),
    ("changes", "what changed in records"),
    ("items", "records of runs"),
    ("runs", "runs"),
    ("notices", "notices"),
]


def fill(apps, schema_editor):
    apps.get_model("desk", "RetentionPolicy").objects.get_or_create(kind="notices", defaults={"days": 90})


class Migration(migrations.Migration):
    dependencies = [("desk", "0005_comparisons")]

    operations = [
        migrations.AlterField(
            "retentionpolicy",
            "kind",
            models.CharField("what", max_length=7, choices=KINDS, unique=True, editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
