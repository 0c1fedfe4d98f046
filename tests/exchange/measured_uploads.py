"""A child process for test_small_files: uploads each file of a folder, and prints what that took as JSON."""

import json
import os
import re
import sys
import time
from pathlib import Path

import django

django.setup()

from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

URL = "/admin/records/yourmodel/import/"


def resident(name):
    """VmRSS is what the process has now, VmHWM the most it ever had; in MB."""
    return int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def measured(client, path):
    data = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM begins anew
    # the processor's seconds: those that others take on a busy machine say nothing about the file
    before, begun = resident("VmRSS"), time.process_time()
    kind = "1" if path.suffix == ".xlsx" else "0"
    response = client.post(URL, {"import_file": SimpleUploadedFile(path.name, data), "format": kind, "resource": "0"})
    seconds, more = time.process_time() - begun, resident("VmHWM") - before
    preview, form = response.context.get("preview"), response.context.get("form")
    said = [str(each) for errors in form.errors.values() for each in errors] if form else []
    said += preview.errors[:3] if preview else []
    return {
        "name": path.stem, "kib": len(data) // 1024, "seconds": round(seconds, 2), "megabytes": round(more, 1),
        "status": response.status_code, "said": said, "changes": preview.changes if preview else 0,
    }  # fmt: skip


def main():
    setup_test_environment()
    client = Client()
    client.cookies["sessionid"] = os.environ["SESSION"]
    paths = sorted(Path(sys.argv[1]).iterdir())
    first = next(path for path in paths if path.stem == "twice")
    measured(client, first)  # what is imported and cached at the first request is nobody's fault
    print(json.dumps([measured(client, path) for path in paths]))


main()
