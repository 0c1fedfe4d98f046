"""What a project with a user model of its own is put through, in a process of its own: see test_own_user_model."""

import contextlib
import io
import json
import os
import subprocess
import sys
import zipfile
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django_celery_beat.models import PeriodicTask  # noqa: E402

from backoffice.management import first_user  # noqa: E402
from backoffice.results.models import Activity  # noqa: E402
from backoffice.runs.models import Run  # noqa: E402
from backoffice.schedules import owner  # noqa: E402
from backoffice.schedules.beat import fire  # noqa: E402
from backoffice.schedules.models import Firing  # noqa: E402
from records.models import YourModel  # noqa: E402
from tests.servers import wait_until  # noqa: E402

Person: Any = get_user_model()
BOSS, OLGA, SAM, PASSWORD, NEW = (
    "boss@example.org",
    "olga@example.org",
    "sam@example.org",
    "a long one 7",
    "a new one 8",
)
OTHERS = {"full_name": "The System"} if hasattr(Person, "full_name") else {}
PEOPLE = f"/admin/{Person._meta.app_label}/{Person._meta.model_name}/"
RECORDS = "/admin/records/yourmodel/"


def person(email: str) -> Any:
    return Person.objects.get(email=email)


def sign_in(email: str, password: str) -> Client:
    client = Client(SERVER_NAME="localhost")
    answer = client.post("/admin/login/", {"username": email, "password": password})
    assert answer.status_code == 302, answer.content.decode()
    assert client.get("/admin/").status_code == 200
    return client


def the_first_one_is_asked_for_what_the_model_wants() -> None:
    """As `manage.py up` asks on a terminal."""
    asking = "import django; django.setup(); from backoffice.management import first_user as f; f.create(*f._answer())"
    lines = ["no address", BOSS, *OTHERS.values(), PASSWORD, PASSWORD]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", asking],
        input="\n".join(lines) + "\n", text=True, check=True, start_new_session=True,
    )  # fmt: skip
    assert person(BOSS).is_superuser
    assert not first_user.is_missing()


def groups_are_given() -> None:
    auditor = Group.objects.get(name="Auditor").permissions
    assert auditor.filter(codename=f"view_{Person._meta.model_name}").exists()
    assert Group.objects.count() == 3


def people_are_made_and_changed(boss: Client) -> None:
    for email in (OLGA, SAM):
        fields = {"email": email, "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD, **OTHERS}
        answer = boss.post(f"{PEOPLE}add/", {**fields, "is_staff": "on"})
        assert answer.status_code == 302, answer.context["errors"]
    for email, group in ((OLGA, "Operator"), (SAM, "Scheduler")):
        page = f"{PEOPLE}{person(email).pk}/change/"
        fields = {
            "email": email,
            **OTHERS,
            "is_active": "on",
            "is_staff": "on",
            "groups": Group.objects.get(name=group).pk,
        }
        moment = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
        answer = boss.post(page, fields | moment)
        assert answer.status_code == 302, answer.context["errors"]
        assert PEOPLE in boss.get(page).text
    listed = boss.get(PEOPLE, {"q": "olga"}).text
    assert OLGA in listed
    assert SAM not in listed
    assert OLGA in boss.get(PEOPLE, {"is_staff__exact": "1"}).text
    new = {"usable_password": "true", "password1": NEW, "password2": NEW}
    assert boss.post(f"{PEOPLE}{person(SAM).pk}/password/", new).status_code == 302
    made = Activity.objects.filter(verb="user.created")
    assert {(entry.actor, entry.target) for entry in made} == {(BOSS, OLGA), (BOSS, SAM)}
    assert Activity.objects.filter(verb="permissions.changed", target=OLGA, actor=BOSS).exists()
    actor = boss.post(f"{PEOPLE}add/", {"email": "manage.py@example.org", **new, **OTHERS})
    assert "what the machine calls itself" in actor.text


def sign_ins_are_counted_and_logged() -> None:
    assert (
        Client(SERVER_NAME="localhost").post("/admin/login/", {"username": OLGA, "password": "wrong"}).status_code
        == 200
    )
    assert Activity.objects.get(verb="login.refused").actor == OLGA
    client = sign_in(OLGA, PASSWORD)
    assert "backoffice_device" in client.cookies
    new = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/admin/password_change/", new).status_code == 302
    sign_in(OLGA, NEW)


def an_action_runs_and_is_proved(olga: Client, boss: Client) -> None:
    record = YourModel.objects.create(reference="A", name="Ab", country="DE")
    sent = {"action": "process_selected", "_selected_action": [record.pk], "form_token": "x"}
    assert olga.post(RECORDS, sent).status_code == 302
    run = Run.objects.get()
    assert (run.requester, run.requester_name) == (person(OLGA), OLGA)
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "worker", "-c", "1", "-l", "warning"]
    with subprocess.Popen(command, env={**os.environ, "REMAP_SIGTERM": "SIGQUIT"}) as worker:
        try:
            wait_until(lambda: Run.objects.exclude(finished_at=None).exists(), 60, what="the run")
        finally:
            worker.terminate()
    assert olga.get(f"/admin/runs/run/{run.pk}/change/").status_code == 200
    assert OLGA in boss.get("/admin/runs/run/").text
    answer: Any = boss.get(f"/admin/desk/evidence/{run.pk}/")
    pack = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    manifest = json.loads(pack.read("manifest.json"))
    assert (manifest["requester_name"], manifest["taken_by"], manifest["counts"]["succeeded"]) == (OLGA, BOSS, 1)
    assert {json.loads(line)["actor"] for line in pack.read("activity.jsonl").splitlines()} >= {OLGA, BOSS}
    assert olga.get(f"{RECORDS}{record.pk}/change/").status_code == 200
    assert OLGA in boss.get("/admin/results/activity/").text


def a_schedule_is_somebody_s(sam: Client) -> None:
    filled = {"name": "Mine", "work": "records:records.tasks.process_model_instance", "selection": "country=DE"}
    options = {"enabled": "on", "when": "crontab", "crontab_text": "0 2 * * *", "zone": "UTC"}
    answer = sam.post(
        "/admin/django_celery_beat/periodictask/add/", {**filled, **options, "missed": "once", "overlap": "skip"}
    )
    assert answer.status_code == 302, answer.context["errors"]
    row = PeriodicTask.objects.get(name="Mine")
    assert (row.state.owner, row.state.owner_name) == (person(SAM), SAM)
    fire.run_now(row, person(SAM))
    assert owner.responsible(row, Firing.objects.get()) == (person(SAM), SAM)
    assert SAM in sam.get(f"/admin/django_celery_beat/periodictask/{row.pk}/change/").text


def doctor_answers() -> None:
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command("doctor", json=True, stdout=out)
    wrong = {check["name"] for check in json.loads(out.getvalue())["checks"] if not check["ok"]}
    assert wrong <= {"Beat", "Workers", "Queues", "Sweep"}, out.getvalue()


if __name__ == "__main__":
    call_command("demo")
    groups_are_given()
    the_first_one_is_asked_for_what_the_model_wants()
    boss = sign_in(BOSS, PASSWORD)
    people_are_made_and_changed(boss)
    sign_ins_are_counted_and_logged()
    an_action_runs_and_is_proved(sign_in(OLGA, NEW), boss)
    a_schedule_is_somebody_s(sign_in(SAM, NEW))
    doctor_answers()
    print("All of it works.")  # noqa: T201
