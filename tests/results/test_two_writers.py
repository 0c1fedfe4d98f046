"""Two processes tell of one task: a child that ends and the main process that revokes it, a message delivered twice.

Each writes the row and then the key. The other comes between the two, or before them; and one may die between them.
"""

from contextlib import suppress
from itertools import product
from types import SimpleNamespace

import pytest
from celery import current_app, states
from celery.exceptions import TaskRevokedError
from celery.result import AsyncResult
from django_celery_results.models import TaskResult

from backoffice.results import rows

pytestmark = pytest.mark.django_db(transaction=True)
ID = "3f1c0c5e-0000-4000-8000-000000000009"
TOLD = {
    states.STARTED: {"pid": 1},
    states.REVOKED: TaskRevokedError("terminated"),
    states.FAILURE: ValueError("why"),
    states.SUCCESS: "done",
}
STRONGER = list(TOLD)  # what has happened is not undone by what comes later


class Killed(BaseException):
    pass


def store(state):
    fields = {"id": ID, "task": "a.task", "args": [], "kwargs": {}, "hostname": "w@h", "retries": 0, "headers": {}}
    request = SimpleNamespace(**fields, delivery_info={"redelivered": True}, children=[])
    current_app.backend.store_result(ID, TOLD[state], state, request=request)


def between_row_and_key(monkeypatch, then):
    write = rows.write

    def interrupted(written):
        monkeypatch.undo()
        taken = write(written)
        then()
        return taken

    monkeypatch.setattr(rows, "write", interrupted)


def die():
    raise Killed


@pytest.mark.parametrize("order", ["inside", "inside, and the outer one dies", "before, and the later one dies"])
@pytest.mark.parametrize(("outer", "other"), list(product(TOLD, TOLD)))
def test_whoever_comes_between_whom_both_stores_give_the_same_answer(monkeypatch, outer, other, order):
    if order.startswith("before"):
        store(other)

    def meanwhile():
        if order.startswith("inside"):
            store(other)
        if "dies" in order:
            die()

    between_row_and_key(monkeypatch, meanwhile)
    with suppress(Killed):
        store(outer)
    row = TaskResult.objects.get()
    assert row.status == max(outer, other, key=STRONGER.index)
    assert AsyncResult(ID).state == row.status
    told = AsyncResult(ID).result
    current_app.backend.client.flushall()
    assert (AsyncResult(ID).state, repr(AsyncResult(ID).result)) == (row.status, repr(told))
