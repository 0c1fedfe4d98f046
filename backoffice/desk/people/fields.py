"""What the people of this installation have, whichever model they are of: pages show the fields there are."""

from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

FLAGS = ("is_active", "is_staff", "is_superuser")
GRANTS = ("groups", "user_permissions")
DATES = ("last_login", "date_joined")  # the machine writes them


def there(*wanted: str) -> list[Any]:
    opts = get_user_model()._meta
    names = {field.name for field in (*opts.fields, *opts.many_to_many)}
    return [name for name in wanted if name in names]


def personal() -> list[Any]:
    """Who somebody is, beside what they sign in with and what they may do."""
    model = get_user_model()
    others = {model.USERNAME_FIELD, "password", *FLAGS, *GRANTS, *DATES}
    fields = (*model._meta.fields, *model._meta.many_to_many)
    return [field for field in fields if field.editable and not field.primary_key and field.name not in others]


def signs_in_with() -> str:
    return str(get_user_model().USERNAME_FIELD)


def searched() -> list[str]:
    """Texts; a search in anything else is one that a database refuses."""
    texts = {"CharField", "EmailField", "TextField"}
    return [signs_in_with(), *(field.name for field in personal() if field.get_internal_type() in texts)]


def listed() -> list[Any]:
    return [*searched()[:3], *(["in_groups"] if there("groups") else []), *there("is_staff", "is_active", "last_login")]


def fieldsets() -> Any:
    parts = [
        (None, [signs_in_with(), "password"]),
        (_("Personal info"), [field.name for field in personal()]),
        (_("Permissions"), there(*FLAGS, *GRANTS)),
        (_("Important dates"), there(*DATES)),
    ]
    return [(title, {"fields": names}) for title, names in parts if names]


def asked_of_a_new_one() -> Any:
    """What there is no row without."""
    needed = [field.name for field in personal() if not (field.blank or field.has_default())]
    names = [signs_in_with(), *needed, "usable_password", "password1", "password2", *there("is_staff")]
    return [(None, {"fields": names, "classes": ("wide",)})]
