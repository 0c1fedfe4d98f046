"""The first person of a new installation: asked for on a terminal, else told how to be made."""

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.utils.text import capfirst

type Others = dict[str, Any]  # by field

HOW = "Nobody can log in yet. Make the first user with:  manage.py createsuperuser"


def is_missing() -> bool:
    """Also where there are no tables yet."""
    try:
        return not get_user_model()._default_manager.exists()
    except DatabaseError:
        return True
    finally:
        connection.close()  # the processes that are started must not inherit it


def ask() -> tuple[str, str, Others] | None:
    """Name, password and what else the user model wants, before anything is started.

    None where nobody sits there, or whoever does wants none now.
    """
    if not (sys.stdin and sys.stdin.isatty() and is_missing()):
        return None
    print("Nobody can log in here yet. The first user may do everything.")  # noqa: T201 - a question on a terminal
    try:
        return _answer()
    except (EOFError, KeyboardInterrupt):
        raise CommandError("No user was made and nothing was started.") from None


def _answer() -> tuple[str, str, Others] | None:
    model: Any = get_user_model()
    asked = model._meta.get_field(model.USERNAME_FIELD)
    called = "User name" if asked.name == "username" else capfirst(asked.verbose_name)
    while text := input(f"{called} (empty: none for now): ").strip():
        if (name := _cleaned(asked, text)) is None:
            continue
        others = {
            field.name: _other(field) for field in map(model._meta.get_field, model.REQUIRED_FIELDS) if not field.blank
        }
        return name, _password(model(**{asked.name: name})), others
    return None


def _other(field: Any) -> Any:
    while (value := _cleaned(field, input(f"{capfirst(field.verbose_name)}: ").strip())) is None:
        pass
    return value


def _cleaned(field: Any, text: str) -> Any:
    """None for what is not good, which was said."""
    try:
        return field.clean(text, None)
    except ValidationError as error:
        print("\n".join(error.messages))  # noqa: T201
    return None


def _password(whose: Any) -> str:
    """Asked until it is good; the name is kept."""
    while True:
        password = getpass("Password: ")
        try:
            validate_password(password, whose)
        except ValidationError as error:
            print("\n".join(error.messages))  # noqa: T201
            continue
        if getpass("Again: ") == password:
            return password
        print("These were two different passwords.")  # noqa: T201


def create(name: str, password: str, others: Others | None = None) -> None:
    model: Any = get_user_model()
    try:
        model._default_manager.create_superuser(**{model.USERNAME_FIELD: name}, password=password, **(others or {}))
    finally:
        connection.close()
