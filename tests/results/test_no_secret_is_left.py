"""A value given as a sensitive argument is nowhere afterwards: rows, Redis, pages, the log of a real worker."""

import pytest
from celery import current_app
from django_celery_results.models import TaskResult
from redis import Redis

from backoffice.results.values.redaction import MASK
from tests.factories import user
from tests.results import storm_tasks
from tests.servers import wait_until
from tests.workers import running_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.spared]
SECRET = "mArk3r-ß'\"\\"


def everything_in_redis() -> str:
    found = []
    for number in (0, 1):
        client = Redis.from_url(current_app.conf.result_backend, db=number, protocol=2)
        for key in client.scan_iter("*"):
            if client.type(key) == b"string":
                found.append(client.get(key).decode())
            else:
                found.append(repr(client.dump(key)))
    return "\n".join(found)


def test_the_password_is_found_nowhere(client):
    with running_worker("-I", "tests.results.storm_tasks") as worker:
        for then in ("work", "fail", "retry"):
            storm_tasks.sign_in.delay("host", SECRET, then)
            storm_tasks.sign_in.delay("host", password=SECRET, then=then)
        ended = TaskResult.objects.filter(status__in=("SUCCESS", "FAILURE"))
        wait_until(lambda: ended.count() == 6, 30, "all have ended")
        wait_until(lambda: current_app.connection_for_read().default_channel.client.hlen("unacked") == 0, 10, "acks")
    log = worker.log.read_text()
    assert f"the password is {MASK}" in log
    rows = repr(list(TaskResult.objects.values()))
    assert rows.count("refused: ") >= 2
    assert MASK in rows
    client.force_login(user(is_superuser=True))
    pages = "".join(
        client.get(f"/admin/django_celery_results/taskresult/{pk}/change/").text
        for pk in TaskResult.objects.values_list("pk", flat=True)
    )
    assert pages.count("refused: ") >= 2
    for place, text in {"log": log, "rows": rows, "redis": everything_in_redis(), "pages": pages}.items():
        at = text.find("mArk3r")
        assert at < 0, f"{place}: {text[max(0, at - 200) : at + 100]}"
