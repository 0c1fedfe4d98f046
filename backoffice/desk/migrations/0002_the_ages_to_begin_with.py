from django.db import migrations

# A year of detail, five years of who ran what.
DAYS = {"results": 365, "items": 365, "runs": 1825}


def fill(apps, schema_editor):
    for kind, days in DAYS.items():
        apps.get_model("desk", "RetentionPolicy").objects.get_or_create(kind=kind, defaults={"days": days})


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_retention_policy")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
