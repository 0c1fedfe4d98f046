"""The first person of a new installation: asked for on a terminal, else told how to be made."""

import sys
from getpass import getpass

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
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
    name = input("User name (empty: none for now): ").strip()
    while name:
        try:
            return name, _password(name)
        except ValidationError as error:
            print("\n".join(error.messages))  # noqa: T201
    return None


def _password(name: str) -> str:
    user = get_user_model()(username=name)
    user.clean_fields(exclude=["password"])
    password = getpass("Password: ")
    validate_password(password, user)
    if getpass("Again: ") != password:
        raise ValidationError("These were two different passwords.")
    return password


def create(name: str, password: str) -> None:
    try:
        get_user_model().objects.create_superuser(username=name, password=password)
    finally:
        connection.close()
