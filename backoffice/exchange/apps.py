from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "backoffice.exchange"
    verbose_name = "Exchange"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers
