"""The app of docs/your-own-model.md, put together from what the page prints, in a project of its own."""

import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from backoffice.management.redis_server import free_port

pytestmark = [pytest.mark.processes, pytest.mark.once]  # the project is on SQLite whatever the session is on
ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/your-own-model.md").read_text()
SETTINGS = """
from backoffice.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "invoices"]
"""
FROM_CODE = """
import django
django.setup()
from django.contrib.auth.models import User
from backoffice.testing import worker
from invoices.models import Invoice
from invoices.tasks import tax_invoice
user = User.objects.create_superuser("anna")
invoice, other = [Invoice.objects.create(number=n, net=100) for n in "12"]
with worker():
    exec(BLOCK)
    assert (run.succeeded, run.requester) == (2, user)
Invoice.objects.create(number="3", net=100)
"""

FILES = """
import django
django.setup()
from django.conf import settings
settings.ALLOWED_HOSTS.append("testserver")
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.utils import setup_test_environment
from invoices.models import Invoice
setup_test_environment()
client = Client()
client.force_login(User.objects.create_superuser("otto"))
Invoice.objects.create(number="1", net=100)
file = SimpleUploadedFile("new.csv", b"number;net\\n1;80\\n2;20")
page = client.post("/admin/invoices/invoice/import/", {"import_file": file, "format": "0"})
client.post("/admin/invoices/invoice/process_import/", page.context["confirm_form"].initial)
assert list(Invoice.objects.order_by("number").values_list("number", "net")) == [("1", 80), ("2", 20)]
asked = {"format": "0", "invoiceresource_number": "on", "invoiceresource_gross": "on"}
print(client.post("/admin/invoices/invoice/export/", asked).getvalue())
"""


def block_after(heading: str, first: str = "") -> str:
    found = re.search(rf"^## {heading}\n.*?^```python\n({re.escape(first)}.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the page's files and a database of theirs, made once: each test has a copy."""
    folder = tmp_path_factory.mktemp("made")
    write(folder)
    manage = str(ROOT / "manage.py")
    assert "Create model Invoice" in python_in(folder, manage, "makemigrations", "invoices")
    python_in(folder, manage, "migrate", "-v0")
    return folder


def write(folder: Path) -> None:
    app = folder / "invoices"
    app.mkdir()
    (app / "__init__.py").touch()
    blocks = re.findall(r"```python\n# (invoices/\w+\.py)\n(.*?)```", PAGE, re.DOTALL)
    assert [name for name, _text in blocks] == [
        f"invoices/{name}.py" for name in ("models", "tasks", "admin", "test_tax")
    ]
    for name, text in blocks:
        (folder / name).write_text(text)
    (folder / "site_settings.py").write_text(SETTINGS + block_after("In a test", "# in the settings"))


def python_in(folder: Path, *arguments: str) -> str:
    own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    own |= {
        "BACKOFFICE_VAR": str(folder / "var"),
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}",  # none: what needs one brings its own
        "PYTEST_ADDOPTS": "-p no:valkey -p no:cacheprovider",
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=own, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def project(made, tmp_path):
    """The folder, and a function that runs Python in it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return partial(python_in, tmp_path)


def test_the_page_makes_a_record_type_that_works(project):
    manage = str(ROOT / "manage.py")
    assert "no issues" in project(manage, "check")
    told = project("-c", FROM_CODE.replace("BLOCK", repr(block_after("From code"))))
    assert re.search(r"print\(preview.*# (Preview\(.*\))", PAGE)[1] in told
    assert "1 record, 0 skipped" in project(manage, "process", "invoices.Invoice", "--filter", "gross__isnull=true")


def test_the_pages_list_with_files_imports_and_exports(project, tmp_path):
    manage = str(ROOT / "manage.py")
    [admin] = re.findall(r"```python\n# invoices/admin.py, with files\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "invoices" / "admin.py").write_text(admin)
    assert "no issues" in project(manage, "check")
    assert "number,gross" in project("-c", FILES)


@pytest.mark.long
def test_the_pages_own_tests_pass(project):
    assert "3 passed" in project("-m", "pytest", "-q", "invoices/test_tax.py")
