from typing import Any

from django.db import migrations

# As process() writes them: distinct, sorted, one space between.
OF = {
    "sqlite": (
        "(SELECT group_concat(code, ' ') FROM"
        " (SELECT DISTINCT json_extract(value, '$.code') AS code FROM json_each(issues) ORDER BY code))"
    ),
    "postgresql": (
        """(SELECT string_agg(code, ' ' ORDER BY code COLLATE "C") FROM"""
        " (SELECT DISTINCT value ->> 'code' AS code FROM jsonb_array_elements(issues)) AS codes)"
    ),
}


def fill(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    table = connection.ops.quote_name(apps.get_model("records", "YourModel")._meta.db_table)
    codes = OF["postgresql" if connection.vendor == "postgresql" else "sqlite"]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET issue_codes = COALESCE({codes}, '') WHERE issues <> '[]'")  # noqa: S608


class Migration(migrations.Migration):
    """The combination of a record's issue codes: fill."""

    dependencies = [("records", "0002_issue_codes")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
