"""Arguments that nobody may read: a task names them, and every place that shows arguments asks here.

    @shared_task(sensitive_args=("password",))
    def connect(host, password): ...

The message itself still carries them, or the worker could not work: protect the broker. Wherever else a value of theirs
turns up, in a result, an error, a traceback or a worker's log, it is masked too.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, ClassVar

from celery import current_app, current_task, signals
from celery.contrib.django.task import DjangoTask

from backoffice.lines import LineFormatter

MASK = "********"
WORD = 4  # characters: shorter values are masked where they are words


def sensitive(task_name: str | None) -> frozenset[str]:
    """The names of a task's sensitive arguments; none for a task this process does not know."""
    task = current_app.tasks.get(task_name) if task_name else None
    return frozenset(getattr(task, "sensitive_args", None) or ())


def redacted(task_name: str | None, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments as they may be shown: the same objects where nothing is sensitive, else copies with masks."""
    names = sensitive(task_name)
    if not names:
        return args, kwargs
    return _positional(current_app.tasks[task_name], names, args), _named(names, kwargs)


def _named(names: frozenset[str], kwargs: Any) -> Any:
    if kwargs is None:
        return None
    # A repr instead of a mapping cannot be taken apart: none of it is shown.
    return {name: MASK if name in names else kwargs[name] for name in kwargs} if isinstance(kwargs, Mapping) else MASK


def _positional(task: Any, names: frozenset[str], args: Any) -> Any:
    if args is None:
        return None
    if isinstance(args, str) or not isinstance(args, Sequence):
        return MASK
    hidden, rest = _positions(task, names)
    return [MASK if place in hidden or (rest is not None and place >= rest) else arg for place, arg in enumerate(args)]


def _positions(task: Any, names: frozenset[str]) -> tuple[set[int], int | None]:
    """Which places are hidden, and from which on all are: those of a sensitive *args."""
    hidden: set[int] = set()
    for place, parameter in enumerate(signature(task.run).parameters.values()):
        if parameter.kind is Parameter.VAR_POSITIONAL:
            return hidden, place if parameter.name in names else None
        if parameter.name in names:
            hidden.add(place)
    return hidden, None


def redact(meta: dict[str, Any]) -> None:
    """Mask sensitive arguments, and their values wherever else they stand, in what a backend stores of a task."""
    if "args" not in meta:
        return
    name, args, kwargs = meta.get("name"), meta["args"], meta.get("kwargs")
    meta["args"], meta["kwargs"] = redacted(name, args, kwargs)
    if scrub := scrubber(name, args, kwargs):
        meta["result"], meta["traceback"] = scrub.value(meta["result"]), scrub.value(meta.get("traceback"))


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Masks certain values wherever they stand in texts, lists and mappings."""

    pattern: re.Pattern[str]

    def text(self, text: str) -> str:
        return self.pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(key): self.value(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value if _says_nothing(value) or not self.pattern.search(str(value)) else MASK


def scrubber(task_name: str | None, args: Any, kwargs: Any) -> Scrubber | None:
    """For the sensitive arguments of one call; None where there are none."""
    if not sensitive(task_name):
        return None
    shown_args, shown_kwargs = redacted(task_name, args, kwargs)
    return masking([*_hidden(args, shown_args), *_hidden(kwargs, shown_kwargs)])


def masking(hidden: Iterable[str]) -> Scrubber | None:
    """Masks these texts; None where there are none."""
    # The longest first: one value may begin with another.
    patterns = [_pattern(text) for text in sorted(set(hidden), key=len, reverse=True)]
    return Scrubber(re.compile("|".join(patterns))) if patterns else None


def _hidden(given: Any, shown: Any) -> Iterator[str]:
    """The texts that a mask now stands for."""
    if shown is MASK:
        yield from _leaves(given)
    elif isinstance(given, Mapping):
        for name in given:
            yield from _leaves(given[name]) if shown[name] is MASK else ()
    elif given is not None:
        for value, instead in zip(given, shown, strict=True):
            yield from _leaves(value) if instead is MASK else ()


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from _leaves(each)
    elif not _says_nothing(value):
        yield str(value)


def _says_nothing(value: Any) -> bool:
    return value is None or isinstance(value, bool) or value == ""


def _pattern(text: str) -> str:
    """A short text, or a number, only as a word of its own: else a PIN of 1 would leave no number readable."""
    found = "".join(map(_character, text))
    return found if len(text) >= WORD and not text.isdigit() else rf"(?<!\w){found}(?!\w)"


def _character(char: str) -> str:
    """One as it is, and as reprs and JSON write it, also a repr inside a repr."""
    if char == "\\":
        return r"\\+"
    if char in "'\"":
        return rf"\\*{char}"
    if char.isascii() and char.isprintable():
        return re.escape(char)
    escaped = {ascii(char)[1:-1], json.dumps(char)[1:-1]}
    return "(?:" + "|".join([re.escape(char), *(each.replace("\\", r"\\+") for each in sorted(escaped))]) + ")"


class RedactingTask(DjangoTask):
    """The base of all tasks: what Celery logs and sends as events in place of the arguments is redacted too."""

    abstract = True
    Request = "backoffice.results.message.request:SteadyRequest"
    sensitive_args: tuple[str, ...] = ()
    # Asked of each message before the body runs, whatever the task's own base is; one that raises Ignore ends it.
    guards: ClassVar[list[Callable[[Any], None]]] = []

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        for guard in self.guards:
            guard(self)

    def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        if self.sensitive_args:
            shown_args, shown_kwargs = redacted(self.name, list(args or ()), dict(kwargs or {}))
            options.setdefault("argsrepr", repr(tuple(shown_args)))
            options.setdefault("kwargsrepr", repr(shown_kwargs))
        return super().apply_async(args, kwargs, *rest, **options)


class RedactingFormatter(logging.Formatter):
    """Another formatter's line without the sensitive arguments of the task at work: errors and results quote them."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return _scrubbed(self.inner.format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return _scrubbed(self.inner.formatException(ei))


def _scrubbed(line: str) -> str:
    if not getattr(current_task, "sensitive_args", None):
        return line
    scrub = scrubber(current_task.name, current_task.request.args, current_task.request.kwargs)
    return scrub.text(line) if scrub else line


@signals.after_setup_logger.connect
@signals.after_setup_task_logger.connect
def redact_log(logger: logging.Logger, **_kwargs: Any) -> None:
    """On the worker's and beat's handlers, so that it holds for all that is logged: by Celery, by tasks, by print()."""
    for handler in logger.handlers:
        if not isinstance(handler.formatter, LineFormatter):
            # Masked before it is escaped: a value may have several lines.
            handler.setFormatter(LineFormatter(inner=RedactingFormatter(handler.formatter or logging.Formatter())))
