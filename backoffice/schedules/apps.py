from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class SchedulesConfig(AppConfig):
    name = "backoffice.schedules"
    verbose_name = _("Schedules")

    def ready(self) -> None:
        """Beat's table gets the name staff give it. Its migrations read the original Meta and stay as they are."""
        beat = apps.get_app_config("django_celery_beat")
        beat.verbose_name = _("Timetable")
        options = beat.get_model("PeriodicTask")._meta
        options.verbose_name, options.verbose_name_plural = _("schedule"), _("schedules")
