"""The first person of a new installation: asked for on a terminal, else told how to be made."""

import sys
from getpass import getpass

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

HOW = "Nobody can log in yet. Make the first user with:  manage.py createsuperuser"


def is_missing() -> bool:
    """Also where there are no tables yet."""
    try:
        return not get_user_model().objects.exists()
    except DatabaseError:
        return True
    finally:
        connection.close()  # the processes that are started must not inherit it


def ask() -> tuple[str, str] | None:
    """Name and password, before anything is started; None where nobody sits there, or whoever does wants none now."""
    if not (sys.stdin and sys.stdin.isatty() and is_missing()):
        return None
    print("Nobody can log in here yet. The first user may do everything.")  # noqa: T201 - a question on a terminal
    try:
        return _answer()
    except (EOFError, KeyboardInterrupt):
        raise CommandError("No user was made and nothing was started.") from None


def _answer() -> tuple[str, str] | None:
    while name := input("User name (empty: none for now): ").strip():
        try:
            get_user_model()(username=name).clean_fields(exclude=["password"])
            return name, _password(name)
        except ValidationError as error:
            print("\n".join(error.messages))  # noqa: T201
    return None


def _password(name: str) -> str:
    """Asked until it is good; the name is kept."""
    while True:
        password = getpass("Password: ")
        try:
            validate_password(password, get_user_model()(username=name))
        except ValidationError as error:
            print("\n".join(error.messages))  # noqa: T201
            continue
        if getpass("Again: ") == password:
            return password
        print("These were two different passwords.")  # noqa: T201


def create(name: str, password: str) -> None:
    try:
        get_user_model().objects.create_superuser(username=name, password=password)
    finally:
        connection.close()
