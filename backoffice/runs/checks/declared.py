"""Of what a record task, an action and an admin declare."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from celery import current_app
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.core.checks import CheckMessage, Error, Info, Warning, register
from django.core.exceptions import FieldError
from django.db.models import AutoField, BigIntegerField, IntegerField

from backoffice import queues

from ..engine import broker
from ..models import Processable
from ..models.paths import NoPath, check_prefetched, path
from ..pages.records import COLOURS, ProcessableAdmin
from ..pages.staff import StaffAdmin
from ..registry import CLAIMS, RecordTask, find, record_tasks, registered


@register("runs")
def integer_primary_keys(**_kwargs: Any) -> list[CheckMessage]:
    """The ledger keeps record ids as integers."""
    return [
        Error(
            f"{model._meta.label} has a {type(model._meta.pk).__name__} as its primary key.",
            hint="Records need an integer primary key: leave Django's default, BigAutoField.",
            obj=model,
            id="runs.E001",
        )
        for model in apps.get_models()
        if issubclass(model, Processable) and not isinstance(model._meta.pk, (AutoField, IntegerField, BigIntegerField))
    ]


@register("runs")
def record_task_declarations(**_kwargs: Any) -> list[CheckMessage]:
    """A record task names a model that is there, inherits Processable, and has the fields it writes."""
    found: list[CheckMessage] = []
    for name, task in record_tasks().items():
        try:
            model = task.record_model
        except (LookupError, ValueError):
            found.append(Error(f"{name} works on {task.model_label!r}, which is no model.", id="runs.E002"))
            continue
        if not issubclass(model, Processable):
            found.append(
                Error(f"{name} works on {model._meta.label}, which does not inherit Processable.", id="runs.E003")
            )
        known = {field.name for field in model._meta.concrete_fields} | {
            field.attname for field in model._meta.concrete_fields
        }
        for field in sorted({name for name in _names(task, "writes", "reads", "volatile") if "__" not in name} - known):
            found.append(Error(f"{name} names the field {field!r}, which {model._meta.label} has not.", id="runs.E004"))
        found += [
            Error(
                f"{name} writes the field {field.name!r} of {model._meta.label}, which {why}.",
                hint="Take it out of writes.",
                id="runs.E007",
            )
            for field in model._meta.concrete_fields
            if field.name in task.writes and (why := _not_writable(field))
        ]
    return found


def _not_writable(field: Any) -> str:
    computed = "the database computes" if field.generated else ""
    return "is the key by which the record is saved" if field.primary_key else computed


@register("runs")
def related_rows(**_kwargs: Any) -> list[CheckMessage]:
    """What a record task reads of other rows is there, and is what Django can load with the record."""
    return [
        Error(f"{name}: {option} {told}", id="runs.E011")
        for name, task in record_tasks().items()
        if _has_model(task)
        for option, told in _not_loadable(task)
    ]


def _has_model(task: RecordTask) -> bool:
    try:
        return bool(task.record_model)
    except (LookupError, ValueError):
        return False


def _names(task: RecordTask, *options: str) -> list[Any]:
    """What options name; a text in place of a tuple is a mistake of its own."""
    given = [getattr(task, option) or () for option in options]
    return [name for names in given if not isinstance(names, str) for name in names]


def _not_loadable(task: RecordTask) -> Iterator[tuple[str, str]]:
    for option in ("writes", "reads", "volatile", "select_related", "prefetch_related"):
        if isinstance(names := getattr(task, option), str):
            yield option, f"is the text {names!r}: give a tuple, ({names!r},)."
    checked: dict[str, Callable[[Any, Any], object]] = {
        "reads": lambda model, name: "__" in name and path(model, name),
        "select_related": lambda model, name: str(model._base_manager.select_related(name).query),
        "prefetch_related": check_prefetched,
    }
    for option, check in checked.items():
        for name in _names(task, option):
            try:
                check(task.record_model, name)
            except (NoPath, FieldError) as exc:
                yield option, str(exc)


@register("runs")
def results(**_kwargs: Any) -> list[CheckMessage]:
    """A call returns a sentence, or the outcome."""
    return [
        Error(f"{name} has the result {task.result!r}.", hint='Give "sentence" or "outcome".', id="runs.E017")
        for name, task in record_tasks().items()
        if task.result not in ("sentence", "outcome")
    ]


@register("runs")
def retries(**_kwargs: Any) -> list[CheckMessage]:
    """How often a record is tried again has a bound: no item of a run is claimed more often than that."""
    found: list[CheckMessage] = []
    for name, task in record_tasks().items():
        asked = task.max_retries
        if asked is not None and (not isinstance(asked, int) or asked < 0):
            hint = f"Give a whole number from 0 to {CLAIMS - 1}."
            found.append(Error(f"{name} has the max_retries {asked!r}.", hint=hint, id="runs.E008"))
        elif asked != task.most_retries:
            told = f"{name} has a max_retries of {asked}: a record is tried again {task.most_retries} times."
            hint = f"No record of a run is begun more than {CLAIMS} times: declare {CLAIMS - 1} or less."
            found.append(Warning(told, hint=hint, id="runs.W008"))
    return found


@register("runs")
def admins_of_ours(**_kwargs: Any) -> list[CheckMessage]:
    """Django's own lists take any lookup, regular expressions too, and its forms write over what others saved."""
    return [
        Warning(
            f"{type(model_admin).__module__}.{type(model_admin).__qualname__} {told}.",
            hint="Its list takes any lookup and its form loses updates. Put StaffAdmin, or for records "
            "ProcessableAdmin (both of backoffice.runs.seam), before ModelAdmin.",
            obj=model,
            id="runs.W001",
        )
        for model, model_admin in admin.site._registry.items()
        if (told := _not_ours(type(model_admin).__mro__))
    ]


def _not_ours(kinds: tuple[type, ...]) -> str:
    if StaffAdmin not in kinds:
        return "is no StaffAdmin"
    return "has StaffAdmin behind ModelAdmin" if kinds.index(StaffAdmin) > kinds.index(admin.ModelAdmin) else ""


@register("runs")
def outcomes_on_pages(**_kwargs: Any) -> list[CheckMessage]:
    """What a team sets of outcomes names a field that is there, and colours that there are."""
    found: list[CheckMessage] = []
    for model, shown in admin.site._registry.items():
        if not isinstance(shown, ProcessableAdmin):
            continue
        where, label = type(shown).__qualname__, model._meta.label
        if shown.outcome_field not in {"", *(field.name for field in model._meta.fields)}:
            told = f"{where} has the outcome_field {shown.outcome_field!r}, which {label} has not."
            found.append(Error(told, hint="Name a field of the model, or leave it out.", obj=model, id="runs.E009"))
        for colour in sorted(set(shown.outcome_colours.values()) - set(COLOURS)):
            told = f"{where} has the colour {colour!r} among its outcome_colours, which is none."
            found.append(Error(told, hint=f"Choose from {', '.join(COLOURS)}.", obj=model, id="runs.E010"))
    return found


@register("runs")
def time_limits(**_kwargs: Any) -> list[CheckMessage]:
    """Limits are seconds, and a soft limit comes before its hard one."""
    record_tasks()  # imports every tasks module
    own = [task for name, task in sorted(current_app.tasks.items()) if not name.startswith("celery.")]
    return [*_limits_that_are_none(own), *filter(None, map(_followed, own))]


def _limits_that_are_none(tasks: list[Any]) -> list[CheckMessage]:
    asked = [(task, name, getattr(task, name)) for task in tasks for name in ("time_limit", "soft_time_limit")]
    return [
        Error(f"{task.name} has the {name} {value!r}.", hint="Give a number of seconds above 0.", id="runs.E005")
        for task, name, value in asked
        if value is not None and not (isinstance(value, int | float) and value > 0)
    ]


def _followed(task: Any) -> CheckMessage | None:
    asked = getattr(task, "soft_time_limit_asked", None)
    if asked is None:
        return None
    told = f"{task.name} has a time_limit of {task.time_limit:g} s: its soft_time_limit is {task.soft_time_limit:g} s"
    if asked == current_app.conf.task_soft_time_limit:
        return Info(f"{told}.", hint="Declare a soft_time_limit to have another.", id="runs.I006")
    return Warning(f"{told}, not {asked:g} s.", hint="The soft limit must be below the hard one.", id="runs.W006")


@register("runs")
def permissions(**_kwargs: Any) -> list[CheckMessage]:
    """What is asked for is a permission that somebody can have."""
    known = permissions_there_are()
    tasks = record_tasks()
    asked = [(name, task.permission) for name, task in tasks.items()]
    asked += [(name, needed) for name, task in registered().items() if isinstance(needed := _opted_in(task), str)]
    asked += [(where, action.needs_permission) for where, _model, action in _actions()]
    return [
        *(_no_permission(place, needed, known) for place, needed in sorted(asked) if needed and needed not in known),
        *(_superusers_only(task) for _name, task in sorted(tasks.items()) if not task.permission),
    ]


def permissions_there_are() -> list[str]:
    """Those that `migrate` makes: of every model the usual ones and its own."""
    own = [model._meta for model in apps.get_models()]
    usual = [(opts, get_permission_codename(verb, opts)) for opts in own for verb in opts.default_permissions]
    named = [(opts, codename) for opts in own for codename, _words in opts.permissions]
    return [f"{opts.app_label}.{codename}" for opts, codename in (*usual, *named)]


def _opted_in(task: Any) -> Any:
    return getattr(task, "schedulable", False)


def _no_permission(place: str, needed: Any, known: list[str]) -> CheckMessage:
    text = needed if isinstance(needed, str) else next(iter(needed), "")
    close = get_close_matches(text, known, n=1, cutoff=0.7)
    hint = f"Did you mean {close[0]!r}?" if close else "Give app.codename of one in the Meta.permissions of a model."
    return Error(
        f"{place} asks for the permission {needed!r}, and there is none of that name.", hint=hint, id="runs.E012"
    )


def _superusers_only(task: RecordTask) -> CheckMessage:
    app, _dot, model = task.model_label.lower().rpartition(".")
    return Warning(
        f"{task.name} names no permission: only superusers may start it.",
        hint=f'Give it one that your staff have: permission="{app}.change_{model}".',
        id="runs.W013",
    )


@register("runs")
def actions_of_admins(**_kwargs: Any) -> list[CheckMessage]:
    """An action starts a record task that is there, on the records of its list."""
    found: list[CheckMessage] = []
    for where, model, action in _actions():
        try:
            task = find(action.record_task)
        except LookupError as error:
            found.append(Error(f"{where} starts nothing. {error}", hint="Give it the name of one.", id="runs.E014"))
            continue
        if not _works_on(task, model):
            told = f"{where} starts {task.name}, which works on {task.model_label} and not on {model._meta.label}."
            found.append(Error(told, hint="Put it into the admin of that model.", id="runs.E015"))
    return found


def _works_on(task: RecordTask, model: Any) -> bool:
    try:
        return issubclass(model, task.record_model)
    except (LookupError, ValueError):  # its model is not there: that is said of the task
        return True


@register("runs")
def queues_there_are(**_kwargs: Any) -> list[CheckMessage]:
    """A task goes to a queue that has a worker, or it waits there for ever."""
    tasks = ((name, task) for name, task in sorted(registered().items()) if not name.startswith("celery."))
    asked = ((name, queue) for name, task in tasks if (queue := broker.asked_queue(task)))
    return [_no_queue(name, queue) for name, queue in asked if queue not in queues.declared()]


def _no_queue(name: str, queue: str) -> CheckMessage:
    known = ", ".join(queues.declared())
    return Error(
        f"{name} goes to the queue {queue!r}, which no worker serves.",
        hint=f"Name it in QUEUES of the settings: `up` gives it a worker, deploy/ has a unit. Or take one of: {known}.",
        id="runs.E016",
    )


def _actions() -> Iterator[tuple[str, Any, Any]]:
    """Of every admin those that start record tasks: where it is, the model of its list, the action."""
    for model, model_admin in admin.site._registry.items():
        place = f"{type(model_admin).__module__}.{type(model_admin).__qualname__}"
        for listed in model_admin.actions or ():
            action, name, _words = model_admin.get_action(listed) or (None, "", "")
            if hasattr(action, "record_task"):
                yield f"The action {name!r} of {place}", model, action
