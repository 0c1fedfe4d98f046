"""The groups of fixtures/groups.json: what is new in the file is given, what a person changed stays as they want it.

Beside each group stands what it was ever given. Of a group from before that was kept the activity log knows what people
did to it.
"""

import json
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.results.activity import log
from backoffice.results.models import Activity
from backoffice.schedules.models import Seeded

Permissions = dict[str, Permission]  # by "app.codename"
FEW = 3  # are named; the activity log names all


def seed(file: Path, actor: str) -> tuple[list[str], list[str]]:
    """What was written, and what could not be, in words."""
    known = {row.natural_key(): row for row in Permission.objects.select_related("content_type")}
    written, refused = [], []
    for entry in json.loads(file.read_text()) if file.exists() else []:
        name, keys = entry["fields"]["name"], [of_our_user(*key) for key in entry["fields"]["permissions"]]
        found = {f"{key[1]}.{key[0]}": known[key] for key in keys if key in known}
        written += give(name, found, actor)
        refused += [unknown(file, name, key) for key in keys if key not in known]
    return written, refused


def of_our_user(codename: str, app: str, model: str) -> tuple[str, str, str]:
    """The file says auth.user for the people of this installation, whichever model they have."""
    opts = get_user_model()._meta
    if (app, model) == ("auth", "user") and opts.label_lower != "auth.user":
        return f"{codename.removesuffix(model)}{opts.model_name}", opts.app_label, str(opts.model_name)
    return codename, app, model


def unknown(file: Path, group: str, key: tuple[str, str, str]) -> str:
    words = _("%(file)s gives %(group)s “%(permission)s” (%(model)s), and there is no such permission: mend its name.")
    return words % {"file": file.name, "group": group, "permission": f"{key[1]}.{key[0]}", "model": key[2]}


@transaction.atomic
def give(name: str, wanted: Permissions, actor: str) -> list[str]:
    """What is new to the group. Of two who set up at once one waits, and finds it given."""
    Seeded.objects.get_or_create(key=f"group:{name}")
    row = Seeded.objects.select_for_update().get(key=f"group:{name}")
    before = row.given or first_look(name, actor)
    row.given = before | {"permissions": sorted({*before["permissions"], *wanted})}
    row.save(update_fields=["given"])
    group = Group.objects.filter(pk=before["group"]).first()  # by number, whatever it is called by now
    new = wanted.keys() - set(before["permissions"])
    added = add(group, {each: wanted[each] for each in new}, actor) if group else []
    return [_("group %(name)s (%(what)s)") % {"name": group, "what": in_words(added)}] if added else []


def first_look(name: str, actor: str) -> dict[str, Any]:
    """Its number, none where a group of this name is a person's own affair, and what it is not to be given."""
    if is_a_persons(name):
        return {"group": None, "permissions": []}
    group, made = Group.objects.get_or_create(name=name)
    if made:
        log(actor, "group.created", group)
    return {"group": group.pk, "permissions": sorted(taken_by_people(group))}


def is_a_persons(name: str) -> bool:
    """Somebody made, renamed or deleted a group of this name before anything was given to one."""
    done = Activity.objects.filter(model="auth.group", verb__in=("group.created", "group.changed", "group.deleted"))
    return done.filter(Q(target=name) | Q(details__changes__name__0=name)).exists()


def taken_by_people(group: Group) -> set[str]:
    done = Activity.objects.filter(model="auth.group", object_id=str(group.pk), verb="permissions.changed")
    return {each for details in done.values_list("details", flat=True) for each in details.get("removed", ())}


def add(group: Group, new: Permissions, actor: str) -> list[str]:
    """Returns those it lacked."""
    there = set(group.permissions.values_list("pk", flat=True))
    lacking = {name: row for name, row in new.items() if row.pk not in there}
    if lacking:
        group.permissions.add(*lacking.values())
        log(actor, "permissions.changed", group, added=sorted(lacking), removed=[])
    return sorted(lacking)


def in_words(added: list[str]) -> str:
    many = ngettext("%(n)d permission", "%(n)d permissions", len(added)) % {"n": len(added)}
    return ", ".join(added) if len(added) <= FEW else many
