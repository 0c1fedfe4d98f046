from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "backoffice.runs"
    verbose_name = "Runs"

    def ready(self) -> None:
        from . import checks, logged  # noqa: F401 - they register
