"""The web process of a contender: posts the admin action as a browser would, and says how long that took.

One JSON object a line on standard input, one on standard output.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django

STATUS = Path("/proc/self/status")


def main() -> None:
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever else is printed goes to the log
    django.setup()
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(username="bench"))
    out.write(json.dumps({"ready": True}) + "\n")
    for line in sys.stdin:
        order = json.loads(line)
        out.write(json.dumps(globals()[order.pop("do")](client, **order)) + "\n")


def click(client: Any, first: int, last: int) -> dict[str, float]:
    """Select all records of a range of ids, press the action, confirm."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory counts from here
    before = memory("VmRSS")
    form = {"action": "process_selected", "select_across": "1", "confirmed": "1", "index": "0", "_selected_action": "1"}
    url = f"/admin/records/yourmodel/?id__gte={first}&id__lte={last}"
    begun = time.perf_counter()
    response = client.post(url, form)
    seconds = time.perf_counter() - begun
    if response.status_code != 302:
        raise SystemExit(f"the action answered {response.status_code}: {response.content[:2000]!r}")
    return {"seconds": seconds, "memory_grew": memory("VmHWM") - before}


def start(_client: Any, task: str, first: int, last: int) -> dict[str, float]:
    """A run of a task that has no button."""
    from backoffice.runs.start import start
    from records.models import YourModel

    begun = time.perf_counter()
    start(YourModel.objects.filter(pk__gte=first, pk__lte=last), task)
    return {"seconds": time.perf_counter() - begun}


def undo(client: Any) -> dict[str, float]:
    """Of the newest run: the page that says what can be set back, and its button."""
    from backoffice.runs.models import Run

    url = f"/admin/runs/run/{Run.objects.latest('pk').pk}/undo/"
    begun = time.perf_counter()
    client.get(url)
    shown = time.perf_counter()
    response = client.post(url, {"confirmed": "1"})
    if response.status_code != 302:
        raise SystemExit(f"the undo answered {response.status_code}: {response.content[:2000]!r}")
    return {"page": shown - begun, "seconds": time.perf_counter() - shown}


def look(client: Any) -> dict[str, Any]:
    from . import pages

    return {"pages": pages.measure(client)}


def memory(name: str) -> int:
    """Bytes, from the operating system."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


if __name__ == "__main__":
    main()
