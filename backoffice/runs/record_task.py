"""The seam: `@record_task` makes a Celery task out of a function that works on one record."""

from collections.abc import Callable
from typing import Any

from celery import shared_task

from backoffice.results.message import headers

from .engine import chunks, plain_call
from .registry import Body, RecordTask


def record_task(model: str, *, writes: tuple[str, ...], **options: Any) -> Callable[[Body], RecordTask]:
    """Register a record task for `model` ("app.Model").

    The function gets the record, changes fields of it, saves nothing and returns an Outcome. `writes` names the fields
    that are saved; `reads` those that must be unchanged for that (default: all others), also of rows that it leads to
    ("carrier__tariff"). `select_related` and `prefetch_related` load other rows with it, as Django does;
    `writes_elsewhere` says that it writes other rows: with the record's outcome or not at all. An error is this
    record's FAILURE; one of `transient` is retried up to `max_retries` times. `permission` is what staff need to start
    it, `eligible` a Q of records it makes sense for and `not_eligible` the sentence for the rest; `label` is what pages
    call it. Other options are Celery's.
    """

    def decorate(body: Body) -> RecordTask:
        def run(self: RecordTask, instance_id: Any) -> str | None:
            chunk_id = headers.chunk(self.request)
            if chunk_id is not None:
                chunks.work(self, chunk_id)
                return None
            return plain_call.process_one(self, instance_id)

        run.__name__, run.__qualname__ = body.__name__, body.__qualname__
        run.__module__, run.__doc__ = body.__module__, body.__doc__
        options.setdefault("max_retries", 5)
        return shared_task(
            bind=True, base=RecordTask, name=f"{body.__module__}.{body.__name__}", body=staticmethod(body),
            model_label=model, writes=writes, **options,
        )(run)  # fmt: skip

    return decorate
