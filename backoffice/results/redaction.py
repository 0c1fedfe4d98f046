"""Arguments that nobody may read: a task names them, and every place that shows arguments asks here.

    @shared_task(sensitive_args=("password",))
    def connect(host, password): ...

The message itself still carries them, or the worker could not work: protect the broker. What a task returns, and what
its exceptions say, is its own responsibility.
"""

from collections.abc import Mapping, Sequence
from inspect import Parameter, signature
from typing import Any

from celery import Task, current_app

MASK = "********"


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


def _positional(task: Task, names: frozenset[str], args: Any) -> Any:
    if args is None:
        return None
    if isinstance(args, str) or not isinstance(args, Sequence):
        return MASK
    hidden, rest = _positions(task, names)
    return [MASK if place in hidden or (rest is not None and place >= rest) else arg for place, arg in enumerate(args)]


def _positions(task: Task, names: frozenset[str]) -> tuple[set[int], int | None]:
    """Which places are hidden, and from which on all are: those of a sensitive *args."""
    hidden: set[int] = set()
    for place, parameter in enumerate(signature(task.run).parameters.values()):
        if parameter.kind is Parameter.VAR_POSITIONAL:
            return hidden, place if parameter.name in names else None
        if parameter.name in names:
            hidden.add(place)
    return hidden, None


class RedactingTask(Task):
    """The base of all tasks: what Celery logs and sends as events in place of the arguments is redacted too."""

    abstract = True
    sensitive_args: tuple[str, ...] = ()

    def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        if self.sensitive_args:
            shown_args, shown_kwargs = redacted(self.name, list(args or ()), dict(kwargs or {}))
            options.setdefault("argsrepr", repr(tuple(shown_args)))
            options.setdefault("kwargsrepr", repr(shown_kwargs))
        return super().apply_async(args, kwargs, *rest, **options)
