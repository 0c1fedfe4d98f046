from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "backoffice.notices"
    verbose_name = _("Notices")

    def ready(self) -> None:
        from . import logged  # noqa: F401 - names what the wing logs
