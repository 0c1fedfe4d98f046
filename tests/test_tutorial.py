"""The app of docs/tutorial.md, made of what the page prints in a copy of this project, by the commands it prints."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.once]
ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/tutorial.md").read_text()
LEFT_OUT = shutil.ignore_patterns(".*", "var", "node_modules", "staticfiles", "__pycache__", "bench", "pictures")
USE = """
import django
django.setup()
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.utils import setup_test_environment
from backoffice.testing import work_off
from backoffice.runs.models import Run
from shipments.models import Carrier, Shipment, Tariff
setup_test_environment()
Carrier.objects.create(name="Post", tariff=Tariff.objects.create(name="Parcels", per_kg=2))
browser = Client()
browser.force_login(User.objects.create_superuser("anna"))
page = "/admin/shipments/shipment/"
rows = "reference,carrier,weight,due\\nS1,Post,3,2020-01-01\\nS2,Post,0,2030-01-01\\n"
file = SimpleUploadedFile("shipments.csv", rows.encode())
preview = browser.post(f"{page}import/", {"format": "0", "import_file": file})
assert preview.status_code == 200, preview.content
browser.post(f"{page}process_import/", {name: preview.context["confirm_form"][name].value() or "" for name in
    preview.context["confirm_form"].fields})
assert Shipment.objects.count() == 2, preview.text
shipment = Shipment.objects.get(reference="S1")
assert "Schedule this filter" in browser.get(f"{page}?processed__exact=0").text
form = browser.get("/admin/django_celery_beat/periodictask/add/").text
assert all(word in form for word in (">Price: shipments<", "Choose by a date that moves", ">before today<")), form
told = browser.get(f"{page}{shipment.pk}/change/").text
assert "Price" in told and "Mark late" in told, told
assert "import" in told.partition("Timeline")[2].lower(), told
ticked = {"action": "price_selected", "_selected_action": [each.pk for each in Shipment.objects.all()]}
assert browser.post(page, ticked).status_code == 302
run = work_off(Run.objects.get())
assert (run.succeeded, run.failed) == (1, 1)
assert "6.00" in browser.get(f"{page}{shipment.pk}/change/").text
assert browser.get("/admin/shipments/carrier/").status_code == 200
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of this project with the page's app in it, and a function that runs Python there."""
    copy = tmp_path_factory.mktemp("tutorial") / "project"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    app = copy / "shipments"
    app.mkdir()
    (app / "__init__.py").touch()
    files = dict(block.split("\n", 1) for block in blocks("python") if block.startswith("# shipments/"))
    assert len(files) == 4
    for name, text in files.items():
        (copy / name[2:]).write_text(text)
    settings = copy / "backoffice" / "settings.py"
    wired = next(block for block in blocks("python") if block.startswith("APPS = "))
    text, times = re.subn(r"^APPS = .*\n", wired, settings.read_text(), flags=re.MULTILINE)
    assert times == 1
    settings.write_text(text)
    hidden = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"BACKOFFICE_VAR": str(copy / "var"), "PYTHONPATH": str(copy)}

    def python(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, timeout=180
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    for command in re.findall(r"^python (manage.py (?:makemigrations|migrate|check).*)$", PAGE, re.MULTILINE):
        told = python(*command.split())
    assert "no issues" in told
    return python


def test_what_the_page_makes_is_imported_priced_and_told(project):
    project("-c", "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'backoffice.settings'\n" + USE)
    told = project(*re.search(r"^python (manage.py process .*) --wait$", PAGE, re.MULTILINE)[1].split())
    assert "1 record, " in told  # the one that failed


@pytest.mark.long
def test_the_pages_own_tests_pass(project):
    assert "3 passed" in project("-m", "pytest", "-q", "shipments/tests.py")


@pytest.mark.long
def test_the_page_is_under_the_house_rules(project):
    assert "no issues found" in project("-m", "tests.apps", "mypy")
    assert "0 broken" in project("-m", "tests.apps", "imports")
    assert "All checks passed" in project("-m", "ruff", "check", "--no-cache", "shipments")
    assert "already formatted" in project("-m", "ruff", "format", "--check", "--no-cache", "shipments")


def test_it_is_about_a_hundred_lines(project):
    lines = [line for block in blocks("python") for line in block.splitlines() if line.strip()]
    assert len(lines) < 130
