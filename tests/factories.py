"""Records and people for tests: plain functions, unique where a field must be."""

from itertools import count
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command

from records.models import YourModel

_numbers = count(1)


def record(**fields: Any) -> YourModel:
    number = next(_numbers)
    defaults = {"reference": f"T-{number:05}", "name": f"Company {number}", "country": "DE", "town": "Berlin"}
    return YourModel.objects.create(**(defaults | fields))


def processed(**fields: Any) -> YourModel:
    made = record(**fields)
    made.process()
    made.save()
    return made


def user(*permissions: str, **fields: Any) -> User:
    """A member of staff with these permissions, "app.codename" each."""
    made = User.objects.create_user(**({"username": f"user-{next(_numbers)}", "is_staff": True} | fields))
    for permission in permissions:
        app, codename = permission.split(".")
        made.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return made


def member(group: str) -> User:
    """A member of staff in one of the groups of fixtures/groups.json."""
    call_command("loaddata", "groups", verbosity=0)
    made = user()
    made.groups.add(Group.objects.get(name=group))
    return made
