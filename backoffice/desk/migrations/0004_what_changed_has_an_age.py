from django.db import migrations, models

KINDS = [
    ("results", "task results"),
    ("changes", "what changed in records"),
    ("items", "records of runs"),
    ("runs", "runs"),
]


def fill(apps, schema_editor):
    """As long as the records of runs are kept: no longer makes sense."""
    policies = apps.get_model("desk", "RetentionPolicy").objects
    items = policies.filter(kind="items").first()
    policies.get_or_create(kind="changes", defaults={"days": items.days if items else 365})


class Migration(migrations.Migration):
    dependencies = [("desk", "0003_sign_in_counts")]

    operations = [
        migrations.AlterField(
            "retentionpolicy",
            "kind",
            models.CharField("what", max_length=7, choices=KINDS, unique=True, editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
