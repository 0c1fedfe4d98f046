from django.db import migrations, models


def name_them(apps, schema_editor):
    """In order: what takes a redo back is an undo again."""
    Run = apps.get_model("runs", "Run")
    known = {}
    undos = Run.objects.filter(purpose="undo", undoes__isnull=False).order_by("pk")
    for pk, undone in undos.values_list("pk", "undoes_id"):
        known[pk] = "redo" if known.get(undone) == "undo" else "undo"
    for pk in [pk for pk, purpose in known.items() if purpose == "redo"]:
        Run.objects.filter(pk=pk).update(purpose="redo")


def all_undos(apps, schema_editor):
    apps.get_model("runs", "Run").objects.filter(purpose="redo").update(purpose="undo")


class Migration(migrations.Migration):
    """An undo of an undo is a redo, and says so by its purpose."""

    dependencies = [
        ("runs", "0016_events_of_more_than_runs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="purpose",
            field=models.CharField(
                choices=[("real", "real"), ("undo", "undo"), ("redo", "redo")],
                db_default="real",
                default="real",
                max_length=9,
                verbose_name="purpose",
            ),
        ),
        migrations.RunPython(name_them, all_undos, elidable=True),
    ]
