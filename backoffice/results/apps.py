from django.apps import AppConfig


class ResultsConfig(AppConfig):
    name = "backoffice.results"
    verbose_name = "Results"

    def ready(self) -> None:
        from . import logged  # noqa: F401 - names what the wing logs
