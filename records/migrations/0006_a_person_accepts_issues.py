from django.db import migrations, models
from django.db.models import Q

PERMISSIONS = [
    ("process_yourmodel", "Can process records"),
    ("apply_corrections_yourmodel", "Can apply corrections to records"),
    ("accept_issues_yourmodel", "Can accept issues of records"),
    ("import_yourmodel", "Can import records"),
    ("export_yourmodel", "Can export records"),
]
OPTIONS = {"ordering": ["reference"], "verbose_name": "record", "verbose_name_plural": "records"}


class Migration(migrations.Migration):
    """What a person has accepted of a record's issues, and who may."""

    dependencies = [("records", "0005_correctable_in_words")]

    operations = [
        migrations.AlterModelOptions("yourmodel", OPTIONS | {"permissions": PERMISSIONS}),
        migrations.AddField(
            "yourmodel", "accepted", models.JSONField(editable=False, null=True, verbose_name="accepted issues")
        ),
        migrations.AddIndex(
            "yourmodel",
            models.Index(fields=["reference"], name="record_accepted", condition=Q(accepted__isnull=False)),
        ),
    ]
