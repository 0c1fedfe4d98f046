"""What a record task is, and the record tasks there are, by name."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial, update_wrapper
from operator import attrgetter
from typing import Any, cast

from celery import Task, current_app
from django import forms
from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections, models, transaction
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.module_loading import autodiscover_modules

from backoffice.results import outage
from backoffice.results.left_open import closed_behind, closed_inside
from backoffice.results.message import headers
from backoffice.results.values.redaction import RedactingTask
from backoffice.results.values.text import storable

from . import parameters as asked
from .database import commit
from .models import Outcome, Processable, Requested, Run
from .models.at_work import Kept, Undeclared, watched
from .models.paths import Path, own_column, path, whole

Body = Callable[..., Outcome | None]

# What passes by itself: the database or the network was away for a moment.
TRANSIENT: tuple[type[Exception], ...] = (OperationalError, InterfaceError, ConnectionError, TimeoutError)


KEPT = 20_000  # characters of an outcome
CLAIMS = 20  # of an item, whatever the reasons were: it ends there
REQUESTED = "requested"  # the keyword of a function that is told who asked


class RecordTask(RedactingTask):
    """A task on one record by id. Inside a run its messages carry a chunk of items instead of one id."""

    abstract = True
    takes_chunks = True
    Request = "backoffice.runs.worker.main_process:ChunkRequest"

    body: Body
    model_label: str
    writes: tuple[str, ...]
    reads: tuple[str, ...] | None = None
    select_related: tuple[str, ...] = ()
    prefetch_related: tuple[str | models.Prefetch, ...] = ()
    volatile: tuple[str, ...] = ()
    change_sets = True
    held_too: tuple[str, ...] = ()  # columns that are read as records are locked, beside inputs and what is overwritten
    changes_in_place = True  # lists and mappings that it reads; else they are not copied for comparing
    by_hand = False  # sets what people set in forms, and takes `processed` back as they do: no outcome comes of it
    writes_elsewhere = False  # rows beside its record: in one transaction with the record's outcome, or not at all
    chunk_size = 200
    transient: tuple[type[Exception], ...] = TRANSIENT
    permission = ""
    parameters: type[forms.Form] | None = None
    reason = ""  # "required" or "optional"; else what the settings say
    done = "Processed instance {id}"
    result = "sentence"  # or "outcome": what a call returns
    eligible: models.Q | None = None
    not_eligible = ""
    needs: models.Q | None = None
    includes: tuple[str, ...] = ()
    label: Any = ""  # what pages call it, perhaps lazy: ask labels.task_label()

    @cached_property
    def record_model(self) -> type[Processable]:
        return apps.get_model(self.model_label)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The fields that must not have changed between reading and writing: all it does not write, unless declared.

        Of what is declared in other rows the foreign key is one: the record may lead elsewhere meanwhile.
        """
        own: Any = self.record_model._meta
        if self.reads is not None:
            first = (own.get_field(name.partition("__")[0]) for name in self.reads)
            return tuple(dict.fromkeys(field.attname for field in first if field.concrete))
        return tuple(f.attname for f in own.concrete_fields if not f.primary_key and f.attname in self.kept.names)

    @cached_property
    def kept(self) -> Kept:
        """The fields it must leave as they are: all it does not write."""
        own: Any = self.record_model._meta
        written = {own.get_field(name).attname for name in self.writes}
        return Kept(tuple(f.attname for f in own.concrete_fields if f.attname not in written))

    @cached_property
    def related(self) -> tuple[Path, ...]:
        """The inputs in rows that the record leads to."""
        return tuple(path(self.record_model, name) for name in self.reads or () if "__" in name)

    @cached_property
    def records(self) -> models.QuerySet[Any]:
        """The records to work on: of declared inputs nothing else is loaded before it is asked for."""
        every = self.record_model._base_manager.prefetch_related(*self.prefetch_related)
        if joined := sorted({*self.select_related, *(found.relation for found in self.related)}):
            every = every.select_related(*joined)
        return every if self.reads is None else every.only(*self._loaded())

    def _loaded(self) -> Iterator[str]:
        yield from ("pk", *self.inputs, *(found.name for found in self.related))
        for relation in self.select_related:
            yield from (relation.partition("__")[0], *whole(self.record_model, relation))
        yield from filter(None, (own_column(self.record_model, lookup) for lookup in self.prefetch_related))

    @cached_property
    def read(self) -> Callable[[Any], tuple[Any, ...]]:
        """A record's id and inputs, as `values_list("pk", *inputs)` gives them, and then those of other rows."""
        own, related = attrgetter("pk", *self.inputs), self.related
        return (lambda record: (*own(record), *(found.of(record) for found in related))) if related else own

    @cached_property
    def written(self) -> Callable[[Any], Any]:
        """The values to save, of a foreign key its id; with the record's id last, as the update wants them."""
        own: Any = self.record_model._meta
        return attrgetter(*(own.get_field(name).attname for name in self.writes), "pk")

    @cached_property
    def overwritten(self) -> tuple[Any, ...]:
        """The fields of which change sets keep what was there before; none where the task wants none."""
        own: Any = self.record_model._meta
        return tuple(own.get_field(name) for name in self.writes) if self.change_sets else ()

    @cached_property
    def volatile_fields(self) -> frozenset[str]:
        """Those whose value depends on the moment: nothing changed where they alone did."""
        own: Any = self.record_model._meta
        return frozenset({"processed_at", *(own.get_field(name).name for name in self.volatile)})

    @cached_property
    def held(self) -> tuple[str, ...]:
        """What is read as records are locked, inputs first."""
        return tuple(
            dict.fromkeys(("pk", *self.inputs, *(field.attname for field in self.overwritten), *self.held_too))
        )

    def as_asked(self, submitted: Mapping[str, Any]) -> tuple["RecordTask", dict[str, Any]]:
        """This task as one run with these parameters does it, and what its body is called with. A form that has a
        method `writes` names the fields that are written this time, of those that the task writes.

        Raises BadParameters, and ValueError for other fields.
        """
        if self.parameters is None:
            return self, {}
        form = asked.valid(self, submitted)
        if not hasattr(form, "writes"):
            return self, dict(form.cleaned_data)
        names = tuple(form.writes())
        if other := sorted({*names}.difference(self.writes)):
            raise ValueError(f"{self.name} writes no {', '.join(other)}: its form names what it does not declare.")
        return self.varied(writes=names), dict(form.cleaned_data)

    def varied(self, **options: Any) -> "RecordTask":
        """The same task with other options, for one run or call; what was made of the old ones stays behind."""
        other: Any = object.__new__(type(self))
        cached = {
            name for kind in type(self).__mro__ for name, own in vars(kind).items() if isinstance(own, cached_property)
        }
        other.__dict__.update({name: own for name, own in vars(self).items() if name not in cached} | options)
        return cast("RecordTask", other)

    @cached_property
    def is_told_who_asked(self) -> bool:
        """Whether its function has the keyword; a field of its form by that name comes first."""
        fields = getattr(self.parameters, "base_fields", {})
        return REQUESTED not in fields and REQUESTED in inspect.signature(self.body).parameters

    def told(self, run: Run | None) -> dict[str, Requested]:
        """What its function gets beside its parameters; without a run, of a plain call."""
        if not self.is_told_who_asked:
            return {}
        by, reason, at = (run.requester_name, run.reason, run.created_at) if run else ("", "", timezone.now())
        return {REQUESTED: Requested(by, reason, at)}

    def guarded(self, given: Mapping[str, Any]) -> Body:
        """The body with its cleaned parameters, for one record after another. What it wrote elsewhere is undone when it
        raises, of a task that says it does so.

        Raises Undeclared where it changed what it does not write.
        """
        body = update_wrapper(partial(self.body, **given), self.body) if given else self.body
        if self.writes_elsewhere:
            return transaction.atomic()(partial(watched, self.kept, closed_inside, body))
        # Looked up once: finding the connection takes longer than all that is asked of it.
        django = connections[DEFAULT_DB_ALIAS]
        return partial(watched, self.kept, partial(closed_behind, django), body)

    def passes(self, exc: BaseException) -> bool:
        """Whether an error is worth another try. What a database refuses for ever is not, whatever its class."""
        if isinstance(exc, Undeclared) or not isinstance(exc, self.transient):
            return False
        return not (isinstance(exc, TRANSIENT) and outage.is_refusal(exc))

    @property
    def processes(self) -> bool:
        """Whether it is for this task to say that a record is processed."""
        return "processed" in self.writes and not self.by_hand

    @property
    def asked_reason(self) -> str:
        """Whether whoever starts it says why: "required", "optional", or "" for not asked."""
        return self.reason or str(settings.RUNS_REASON)

    @property
    def most_retries(self) -> int:
        """As declared, within what an item may be claimed; None is no word for "for ever" here."""
        asked = self.max_retries
        return CLAIMS - 1 if asked is None else min(asked, CLAIMS - 1)

    def apply_async(
        self, args: Any = None, kwargs: Any = None, task_id: str | None = None, producer: Any = None, *rest: Any,
        **options: Any,
    ) -> Any:  # fmt: skip
        """Inside a transaction it is sent after the commit. Wrong arguments are refused here and now."""
        kwargs = self.with_parameters(kwargs, headers.of_chunk_in(options.get("headers")))
        self.refuse_records((*(args or ()), *kwargs.values()))
        send = super().apply_async
        if self.app.conf.task_always_eager or not commit.is_ahead():
            return send(args, kwargs, task_id, producer, *rest, **options)
        args = tuple(args or ())
        self.__header__(*args, **kwargs)
        return commit.after(lambda own_id: send(args, kwargs, own_id, None, *rest, **options), task_id, self.app)

    def with_parameters(self, kwargs: Mapping[str, Any] | None, chunk: bool = False) -> dict[str, Any]:
        """As a message carries them; that of a chunk has none, they stand in its run. Raises BadParameters."""
        given = dict(kwargs or {})
        if self.parameters is None or chunk:
            return given
        own = {name: given.pop(name) for name in (asked.RECORD_ID,) if name in given}
        return {**own, **asked.checked(self, given)}

    def refuse_records(self, given: Iterable[object]) -> None:
        """Raises TypeError for a record in place of its id."""
        for each in given:
            if isinstance(each, models.Model):
                kind = type(each).__name__
                raise TypeError(f"{self.name} takes a record's id, not the {kind} itself: give {each.pk!r}.")

    def missing(self, record_id: object) -> str:
        return f"Instance {record_id} not found."

    def answer(self, record_id: object, outcome: Outcome | None) -> str | dict[str, str]:
        """What `.get()` returns of a record that was processed, or (None) is not there: a sentence, or the outcome."""
        if self.result != "outcome":
            return self.missing(record_id) if outcome is None else self.done.format(id=record_id)
        if outcome is None:
            return {"label": "not found", "detail": self.missing(record_id)}
        parts = getattr(outcome, "label", outcome), getattr(outcome, "detail", "")  # a body may return a text
        return dict(zip(("label", "detail"), (storable(str(part), KEPT) for part in parts), strict=True))

    def backoff(self, retries: int) -> float:
        """Seconds before the next try: 2, 4, 8 ... up to 5 minutes."""
        return float(min(2 ** (retries + 1), 300))


def registered() -> Mapping[str, Task]:
    """Every task of this installation by name."""
    _import_tasks()
    tasks: Mapping[str, Task] = current_app.tasks
    return tasks


def record_tasks() -> dict[str, RecordTask]:
    """Every registered record task by name."""
    return {name: task for name, task in registered().items() if isinstance(task, RecordTask)}


@cache
def _import_tasks() -> None:
    # Not Celery's import_default_modules: it closes the database connection and runs Django's checks, of which one
    # asks for the record tasks.
    autodiscover_modules("tasks")


def find(name: str) -> RecordTask:
    """The record task of that name, or of that last part of a name. Raises LookupError with the choices."""
    known = record_tasks()
    matches = [task for full, task in known.items() if name in (full, full.rpartition(".")[2])]
    if len(matches) == 1:
        return matches[0]
    reason = "More than one record task is called" if matches else "There is no record task"
    raise LookupError(f"{reason} {name!r}. Record tasks: {', '.join(sorted(known)) or 'none'}.")


def asked_for(task: object) -> RecordTask:
    """The record task itself, or that of a name. Raises LookupError, and TypeError for what is neither."""
    if isinstance(task, str):
        return find(task)
    if not isinstance(task, RecordTask):
        raise TypeError(f"{task!r} is no record task: give what @record_task made, or its name.")
    return task
