"""The app of docs/your-own-model.md, put together from what the page prints, in a project of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/your-own-model.md").read_text()
SETTINGS = """
from backoffice.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "invoices"]
"""
IN_A_TEST = """
import django
django.setup()
from invoices.models import Invoice
from invoices.tasks import tax_invoice
invoice = Invoice.objects.create(number="1", net=100)
tax_invoice(invoice.pk)
invoice.refresh_from_db()
assert invoice.gross == 120, invoice.gross
Invoice.objects.create(number="2", net=100)
"""


@pytest.fixture
def project(tmp_path):
    """A folder with the page's files, and a function that runs Python in it."""
    app = tmp_path / "invoices"
    app.mkdir()
    (app / "__init__.py").touch()
    blocks = re.findall(r"```python\n# (invoices/\w+\.py)\n(.*?)```", PAGE, re.DOTALL)
    assert [name for name, _text in blocks] == ["invoices/models.py", "invoices/tasks.py", "invoices/admin.py"]
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    (tmp_path / "site_settings.py").write_text(SETTINGS)
    own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    own |= {
        "BACKOFFICE_VAR": str(tmp_path / "var"),
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }

    def python(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=own, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return python


def test_the_page_makes_a_record_type_that_works(project):
    manage = str(ROOT / "manage.py")
    assert "Create model Invoice" in project(manage, "makemigrations", "invoices")
    project(manage, "migrate", "-v0")
    assert "no issues" in project(manage, "check")
    project("-c", IN_A_TEST)
    assert "1 records, 0 skipped" in project(manage, "process", "invoices.Invoice", "--filter", "gross__isnull=true")
