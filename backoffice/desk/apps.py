from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "backoffice.desk"
    verbose_name = "Desk"

    def ready(self) -> None:
        from . import receivers  # noqa: F401 - connects them
