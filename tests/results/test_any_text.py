"""Whatever text a task gets, returns or raises, under whatever name: one row, one key, the same value from both."""

import enum
import json
import uuid
from collections import Counter
from datetime import date, time, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from celery import current_app, states
from celery.result import AsyncResult
from django.utils import timezone
from django_celery_results.models import TaskResult
from kombu.exceptions import EncodeError

from backoffice.results import activity, rows
from backoffice.results.message import headers
from backoffice.results.values import text

pytestmark = pytest.mark.django_db(transaction=True)
ID = "3f1c0c5e-0000-4000-8000-000000000003"
TEXTS = {
    "a lone surrogate": "file \udce4.csv",
    "the first surrogate": "\ud800",
    "two surrogates the wrong way round": "\udc00\ud800",
    "NUL": "nul \x00 byte",
    "six typed characters": r"typed \u0000 and \udce4",
    "both, and quotes": '"\x00\udcff\\"\n\x1b[31m',
    "beyond the first plane": "🜁 é",
    "very long": "long " * 100_000,
    "nothing": "",
}


@pytest.fixture(params=TEXTS.values(), ids=TEXTS)
def odd(request):
    return request.param


def store(state, result=None, task_id=ID, **fields):
    given = {"id": task_id, "task": "a.task", "args": [1], "kwargs": {}, "hostname": "w@h", "retries": 0, "headers": {}}
    request = SimpleNamespace(**{**given, "delivery_info": {"routing_key": "records"}, "children": [], **fields})
    current_app.backend.store_result(task_id, result, state, request.__dict__.pop("traceback", None), request=request)


def answers(task_id=ID):
    """What Redis says, and what the row says once Redis has lost it."""
    told = current_app.backend._get_task_meta_for(task_id)
    assert current_app.backend.client.delete(current_app.backend.get_key_for_task(task_id)) == 1
    return told, current_app.backend._get_task_meta_for(task_id)


def test_an_argument_and_a_result_are_the_same_from_redis_and_from_the_row(odd):
    store(states.SUCCESS, {"said": odd, odd: [odd]}, args=[odd], kwargs={"name": odd})
    for told in answers():
        assert told["result"] == {"said": odd, odd: [odd]}
        assert (told["args"], told["kwargs"]) == ([odd], {"name": odd})


def test_an_error_and_its_traceback_are_a_failure_in_both(odd):
    store(states.FAILURE, ValueError(odd), traceback=f"Traceback: {odd}")
    for told in answers():
        assert told["status"] == "FAILURE"
        assert isinstance(told["result"], ValueError)
        assert told["result"].args[0] == odd
    assert "\x00" not in TaskResult.objects.get().traceback


@pytest.mark.parametrize("place", ["task", "hostname", "headers"])
def test_names_are_kept_as_far_as_they_fit(odd, place):
    name = odd or "x"
    store(states.SUCCESS, 1, **{place: {headers.SCHEDULE: name} if place == "headers" else name})
    row = TaskResult.objects.get()
    kept = {"task": row.task_name, "hostname": row.worker, "headers": row.periodic_task_name}[place]
    assert kept[:20] == text.storable(name)[:20]
    assert len(kept) <= (100 if place == "hostname" else 255)
    assert row.status == AsyncResult(ID).state == "SUCCESS"


def test_a_state_of_ones_own_is_kept(odd):
    store(odd or "X", 1)
    assert TaskResult.objects.get().status == text.storable(odd or "X", 50)


def test_a_task_is_found_by_its_id_whatever_it_is(odd):
    task_id = odd or "x"
    store(states.STARTED, {"pid": 1}, task_id=task_id)
    store(states.SUCCESS, 5, task_id=task_id)
    assert TaskResult.objects.get().status == "SUCCESS"
    assert AsyncResult(task_id).get(timeout=2) == 5
    current_app.backend.client.flushall()
    assert AsyncResult(task_id).get(timeout=2) == 5


def test_two_long_ids_that_begin_alike_stay_two():
    for end in "ab":
        store(states.SUCCESS, end, task_id="x" * 1_000 + end)
    current_app.backend.client.flushall()
    assert [AsyncResult("x" * 1_000 + end).get(timeout=2) for end in "ab"] == ["a", "b"]


VALUES = [
    Decimal("1.50"), uuid.UUID(int=7), b"bytes", b"\xff\x00", timezone.make_naive(timezone.now()), timezone.now(),
    date(2026, 1, 2), time(3, 4), {"deep": [Decimal("0.1"), {"er": b"\xff"}]}, float("inf"), 2**70, None, True, [], {},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was_from_both(value):
    store(states.SUCCESS, value, args=[value], kwargs={"k": value})
    for told in answers():
        assert (told["result"], told["args"], told["kwargs"]) == (value, [value], {"k": value})
        assert type(told["result"]) is type(value)


class Colour(enum.Enum):
    RED = 1


def circle():
    made = []
    made.append(made)
    return made


def deep(levels=100_000):
    made = []
    for _ in range(levels):
        made = [made]
    return made


UNFIT = [{1, 2}, Colour.RED, timedelta(days=1), object(), {(1, 2): 3}, [1, {2}], circle(), deep(), Counter]


@pytest.mark.parametrize("value", UNFIT, ids=lambda value: type(value).__name__)
def test_what_json_has_no_word_for_is_an_error_before_either_store(value):
    store(states.STARTED, {"pid": 1})
    with pytest.raises(EncodeError):
        store(states.SUCCESS, value)
    assert TaskResult.objects.get().status == AsyncResult(ID).state == "STARTED"
    store(states.FAILURE, EncodeError("it is no JSON"))
    assert TaskResult.objects.get().status == AsyncResult(ID).state == "FAILURE"


LOOK_ALIKES = [
    {"__type__": "datetime", "__value__": "tomorrow"},
    [{"__type__": "uuid", "__value__": {"hex": "zz"}}],
    {"of": {"__type__": "nothing known", "__value__": 5}},
    {"__type__": "decimal", "__value__": "one"},
    {"__type__": "bytes", "__value__": 5},
]


@pytest.mark.parametrize("value", LOOK_ALIKES, ids=lambda value: str(value)[:30])
def test_what_could_not_be_read_back_is_an_error_before_either_store(value):
    with pytest.raises(EncodeError, match="__type__"):
        store(states.SUCCESS, value)
    assert not TaskResult.objects.exists()
    store(states.SUCCESS, {"__type__": 5, "said": "__type__"})
    for told in answers():
        assert told["result"] == {"__type__": 5, "said": "__type__"}


def test_an_outcome_is_kept_though_its_arguments_are_no_json():
    store(states.SUCCESS, 1, args=[{1}, Colour.RED], kwargs={"k": object()})
    for told in answers():
        assert told["result"] == 1
        assert told["args"] == ["{1}", "<Colour.RED: 1>"]


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no words")

    __repr__ = __str__


def test_an_error_without_words_is_a_failure_all_the_same():
    store(states.FAILURE, Silent(Silent(), "why"))
    assert TaskResult.objects.get().status == AsyncResult(ID).state == "FAILURE"
    assert rows.error(Silent(Silent()))["exc_message"] == ["<Silent, whose text raises RuntimeError>"]


def test_rows_of_before_are_read_as_they_were():
    store(states.SUCCESS, 1)
    for kept, read in {
        "Decimal('1')": "Decimal('1')",
        '"x"': "x",
        None: None,
        '{"__type__": "x", "__value__": 1}': None,
    }.items():
        TaskResult.objects.update(result=kept)
        current_app.backend.client.flushall()
        assert current_app.backend._get_task_meta_for(ID)["result"] == (read or kept)


def test_an_entry_of_the_activity_log_takes_any_text(odd):
    entry = activity.log(odd or "x", "test.done", odd, error=odd, **{"x" + odd: [odd]})
    entry.refresh_from_db()
    assert entry.details["error"] == text.storable(odd)


def test_typed_escapes_are_text_and_stay():
    typed = TEXTS["six typed characters"]
    store(states.SUCCESS, typed)
    assert json.loads(TaskResult.objects.get().result) == typed
    assert text.storable(typed) == typed
