from django.db import migrations, models

CODES = {
    "not in need of it": "unneeded",
    "already in an active run": "busy",
    "not found at the start: deleted, or no longer matching the list’s filter": "gone",
}
WORDS = {code: words for words, code in CODES.items()}


def rewrite(Run, other):
    told = list(Run.objects.filter(skipped__gt=0).values_list("pk", "skip_reasons"))  # no cursor beside the writes
    for pk, reasons in told:
        if isinstance(reasons, dict):
            Run.objects.filter(pk=pk).update(skip_reasons={other(reason): n for reason, n in reasons.items()})


def as_codes(apps, schema_editor):
    """Any other reason is what the task itself says of records it does not work on."""
    known = set(WORDS) | {"unfit"}
    rewrite(apps.get_model("runs", "Run"), lambda reason: reason if reason in known else CODES.get(reason, "unfit"))


def as_words(apps, schema_editor):
    rewrite(apps.get_model("runs", "Run"), lambda reason: WORDS.get(reason, "not eligible"))


class Migration(migrations.Migration):
    """Why records were skipped is kept by codes; pages make words of them."""

    dependencies = [
        ("runs", "0018_runs_by_their_end"),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="skip_reasons",
            field=models.JSONField(blank=True, default=dict, help_text="Code of the reason: number of records."),
        ),
        migrations.RunPython(as_codes, as_words, elidable=True),
    ]
