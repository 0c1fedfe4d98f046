"""The seam: `@record_task` makes a Celery task out of a function that works on one record."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Literal, TypedDict, Unpack

from celery import shared_task
from django import forms
from django.db.models import Prefetch, Q

from backoffice.results.message import headers

from .engine import chunks, plain_call
from .registry import Body, RecordTask


class Options(TypedDict, total=False):
    """What a record task may say of itself. Any other option is handed to Celery's `shared_task`."""

    reads: tuple[str, ...]
    """Fields that must be unchanged when its changes are saved, and all that is loaded; of other rows, too:
    `"carrier__tariff"`. Default: every other field of the record."""
    select_related: tuple[str, ...]
    """Rows that are loaded with the record in one statement, as Django does it: `("carrier__tariff",)`."""
    prefetch_related: tuple[str | Prefetch, ...]
    """Rows that are loaded for all records of a chunk by one more statement each, as Django does it."""
    writes_elsewhere: bool
    """`True`: the function writes other rows, which are committed with the record's outcome or not at all. Default:
    `False`."""
    parameters: type[forms.Form]
    """A Django form of what is asked at each run; the function gets each of its fields as a keyword, cleaned. No files.
    Default: nothing is asked."""
    reason: Literal["required", "optional"]
    """Whether whoever starts a run is asked why. Default: `RUNS_REASON` of the settings, at first nobody is."""
    volatile: tuple[str, ...]
    """Written fields whose value depends on the moment: a change of these alone is none. Default: `processed_at` alone.
    """
    change_sets: bool
    """`False`: of what it changed nothing is kept but its outcome. Default: `True`, each field before and after."""
    label: Any
    """What pages call it; may be a lazy translation. `@shared_task` takes it, too. Default: the function's name in
    words."""
    permission: str
    """What staff need to start it, as `"app.codename"`. Default: only superusers may."""
    eligible: Q
    """Records it makes sense for, as `Q(weight__gt=0)`; the others are skipped and counted. Default: all."""
    not_eligible: Any
    """Why they are skipped, in words. Default: "not eligible"."""
    needs: Q
    """Records with which it has something new to do, as `Q(processed=False)`; those with which it failed last are among
    them by themselves. A run can be confined to these, a schedule, too. Default: it does not say."""
    includes: tuple[str, ...]
    """Names of record tasks whose work it does besides its own: where it succeeds, an earlier failure of theirs is
    mended. Default: none."""
    transient: tuple[type[Exception], ...]
    """Exceptions that are tried again, after 2, 4, 8 ... up to 300 seconds. Default: database and connection errors."""
    max_retries: int | None
    """How often; 19 at most (and for `None`), since no record is begun more than 20 times. Default: 5."""
    result: Literal["sentence", "outcome"]
    """What `.get()` returns of a record that was processed: "Processed instance 7", or with `"outcome"`
    `{"label": "taxed", "detail": "120.00"}`; in runs, too. Default: `"sentence"`."""
    chunk_size: int
    """Records one message carries at most. Default: 200."""
    queue: str
    """The queue in which its messages wait for a worker; one of your own is named in `QUEUES` of
    `backoffice/settings.py`. Default: `records`."""
    time_limit: float
    """Seconds a record may take until the process that works on it is ended. Default: 1,800."""
    soft_time_limit: float
    """Seconds until the function gets `SoftTimeLimitExceeded`. Default: 1,740."""


def refuse_unknown(options: Iterable[str]) -> None:
    """Celery takes any name for an option, and a misspelt permission would guard nothing."""
    for name in options:
        if name not in Options.__annotations__ and not hasattr(RecordTask, name):
            close = get_close_matches(name, Options.__annotations__, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"record_task() has no option {name!r}.{hint}")


def record_task(model: str, *, writes: tuple[str, ...], **options: Unpack[Options]) -> Callable[[Body], RecordTask]:
    """Register a record task for `model` ("app.Model"); decorates the function that works on one record.

    The function gets the record and its parameters, changes fields of the record, saves nothing and returns an Outcome
    or None. If it has a keyword `requested`, it gets a `Requested` there: who asked, why and when. It may run twice on
    the same record and must give the same. An error is this record's FAILURE, and no other record's. `writes` names the
    fields that are saved. Raises TypeError for an option that there is none of.
    """
    refuse_unknown(options)
    more: dict[str, Any] = {"max_retries": 5, **options}

    def decorate(body: Body) -> RecordTask:
        def run(self: RecordTask, instance_id: Any, **given: Any) -> plain_call.Answer | None:
            chunk_id = headers.chunk(self.request)
            if chunk_id is not None:
                chunks.work(self, chunk_id)
                return None
            return plain_call.process_one(self, instance_id, given)

        def run_without(self: RecordTask, instance_id: Any) -> plain_call.Answer | None:
            return run(self, instance_id)

        called = run_without if options.get("parameters") is None else run

        called.__name__, called.__qualname__ = body.__name__, body.__qualname__
        called.__module__, called.__doc__ = body.__module__, body.__doc__
        return shared_task(
            bind=True, base=RecordTask, name=f"{body.__module__}.{body.__name__}", body=staticmethod(body),
            model_label=model, writes=writes, **more,
        )(called)  # fmt: skip

    return decorate
