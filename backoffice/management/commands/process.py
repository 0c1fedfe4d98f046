"""Start a run from the command line, and wait for it if asked."""

import getpass
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.core.management.base import CommandError
from django.db.models import BooleanField, Model, QuerySet

from backoffice.management.following import USAGE, RunCommand
from backoffice.runs.models import Run
from backoffice.runs.registry import RecordTask, record_tasks
from backoffice.runs.start import EmptySelection, RunRequest, start_requested
from backoffice.schedules.rules import relative

DEFAULT = "process_model_instance"  # of a model with several record tasks the one that is meant without --task


class Command(RunCommand):
    help = "Start a run of a record task over the records that match, and with --wait follow it to its end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="for example records.YourModel")
        parser.add_argument(
            "--filter", nargs="+", action="extend", default=[], metavar="FIELD=VALUE",
            help="which records: country=DE processed=false updated_at__gte=today-7 (default: all)",
        )  # fmt: skip
        parser.add_argument(
            "--task", help="the record task, by name (default: the model's only one, or its process_model_instance)"
        )
        parser.add_argument(
            "--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", dest="parameters",
            help="what the task asks for: percent=5; several values of one name are given one by one",
        )  # fmt: skip
        parser.add_argument("--only-needed", action="store_true", help="of these those that need the task, as it says")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        model = find_model(options["model"])
        task = find_task(model, options["task"])
        records = matching(model, options["filter"])
        run: Run | None = None
        try:
            run = start_requested(
                records,
                task,
                RunRequest(
                    requester=getpass.getuser(),
                    source=Run.Source.COMMAND,
                    selection=" ".join(options["filter"]) or "all",
                    parameters=given(options["parameters"]),
                    reason=options["reason"],
                    only_needed=options["only_needed"],
                ),
            )
        except EmptySelection as exc:
            self.stderr.write(str(exc))
        except ValueError as exc:
            raise CommandError(str(exc), returncode=USAGE) from None
        else:
            self.watch(run, wait=options["wait"])
        self.end(run, time.monotonic() - began, as_json=options["json"])


def given(pairs: Iterable[str]) -> dict[str, str | list[str]]:
    """Each name with its text, or its texts where it comes more than once."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandError(f"--set {pair!r} is not of the form name=value.", returncode=USAGE)
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def find_model(label: str) -> type[Model]:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        known = sorted({task.record_model._meta.label for task in record_tasks().values()})
        raise CommandError(
            f"There is no model {label!r}. Models with record tasks: {', '.join(known)}.", returncode=USAGE
        ) from None


def find_task(model: type[Model], name: str | None) -> RecordTask:
    fitting = {full: task for full, task in record_tasks().items() if issubclass(model, task.record_model)}
    if not fitting:
        raise CommandError(f"No record task works on {model._meta.label}.", returncode=USAGE)
    wanted = name or (DEFAULT if len(fitting) > 1 else min(fitting))
    matches = [task for full, task in fitting.items() if wanted in (full, full.rpartition(".")[2])]
    if len(matches) == 1:
        return matches[0]
    many = f"More than one record task works on {model._meta.label}"
    problem = f"There is no record task {name!r} for {model._meta.label}" if name and not matches else many
    choices = (full if matches else full.rpartition(".")[2] for full in fitting)
    raise CommandError(f"{problem}. Choose by --task one of: {', '.join(sorted(choices))}.", returncode=USAGE)


def matching(model: type[Model], filters: Iterable[str]) -> QuerySet[Any]:
    records = model._default_manager.all()
    for given in filters:
        name, equals, value = given.partition("=")
        if not equals:
            raise CommandError(f"--filter {given!r} is not of the form field=value.", returncode=USAGE)
        try:
            value = relative.fixed_value(model, name, value, relative.moment_of(None))
            records = records.filter(**{name: _value(model, name, value)})
        except FieldError:
            fields = ", ".join(field.name for field in model._meta.concrete_fields)
            raise CommandError(
                f"{model._meta.label} has no field {name!r}. Fields: {fields}.", returncode=USAGE
            ) from None
        except (ValidationError, ValueError, TypeError) as exc:
            reason = " ".join(exc.messages) if isinstance(exc, ValidationError) else str(exc)
            raise CommandError(f"--filter {given!r}: {reason}", returncode=USAGE) from None
    return records


def _value(model: type[Model], lookup: str, value: str) -> Any:
    """The text as the field takes it: yes and no for a boolean, a list for __in."""
    name, *rest = lookup.split("__")
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return value
    if isinstance(field, BooleanField) or rest[-1:] == ["isnull"]:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if value.lower() not in words:
            raise ValueError("write true or false")
        return words[value.lower()]
    return value.split(",") if rest[-1:] == ["in"] else value
