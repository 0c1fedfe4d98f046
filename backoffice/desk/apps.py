from typing import Any

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "backoffice.desk"
    verbose_name = "Desk"

    def ready(self) -> None:
        from django.contrib.auth import get_user_model

        from . import logged  # noqa: F401 - names what the wing logs
        from .people import checks, names, receivers  # noqa: F401 - connects them

        # Django's own user has no other place for it; the migrations of auth do not see it.
        people: Any = get_user_model()
        people._meta.get_field(people.USERNAME_FIELD).validators.append(names.refuse_actors)
