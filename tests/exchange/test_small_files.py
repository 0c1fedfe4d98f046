"""Small files that would take the web away from everybody: each answers soon and in little memory."""

import json
import subprocess
import sys

import pytest

from tests import factories
from tests.exchange.made_files import SMALL_AND_HEAVY, padded
from tests.workers import ROOT, environment

pytestmark = [pytest.mark.once, pytest.mark.processes]

SECONDS, MEGABYTES, LARGEST = 2.0, 150, 300
GOOD = {"good_rows", "good_rows_in_a_workbook", "blank_lines"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("files")
    for name, make in SMALL_AND_HEAVY.items():
        data = make()
        if data.startswith(b"PK"):
            (made / f"{name}.xlsx").write_bytes(data)
            (made / f"{name}-padded.xlsx").write_bytes(padded(data))
        else:
            (made / f"{name}.csv").write_bytes(data)
    return made


@pytest.mark.django_db(transaction=True)
def test_every_small_file_answers_soon_in_little_memory_and_says_why_it_is_refused(client, folder):
    client.force_login(factories.member("Operator"))
    child = subprocess.run(
        [sys.executable, "-m", "tests.exchange.measured_uploads", str(folder)],
        cwd=ROOT,
        env=environment(SESSION=client.cookies["sessionid"].value),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-3_000:]
    found = json.loads(child.stdout.splitlines()[-1])
    for each in found:
        print({**each, "said": [t[:60] for t in each["said"]]})
    assert {each["name"].removesuffix("-padded") for each in found} == set(SMALL_AND_HEAVY)
    heavy = [each for each in found if each["seconds"] > SECONDS or each["megabytes"] > MEGABYTES]
    assert not heavy
    assert [each for each in found if each["kib"] > LARGEST or each["status"] != 200] == []
    assert [each for each in found if bool(each["said"]) == bool(each["changes"])] == []
    assert [each for each in found if each["name"] in GOOD and not each["changes"]] == []
