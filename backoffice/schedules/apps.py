from typing import Any

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class SchedulesConfig(AppConfig):
    name = "backoffice.schedules"
    verbose_name = _("Schedules")

    def ready(self) -> None:
        """Beat's tables get the names staff give them. Their migrations read the original Meta and stay as they are."""
        from . import logged, message  # noqa: F401 - the one names what the wing logs, the other listens
        from .rules import words  # reads models, which are loaded only now

        beat = apps.get_app_config("django_celery_beat")
        beat.verbose_name = _("Timetable")
        schedule: Any = beat.get_model("PeriodicTask")
        crontab: Any = beat.get_model("CrontabSchedule")
        schedule._meta.verbose_name, schedule._meta.verbose_name_plural = _("schedule"), _("schedules")
        # Shown in titles, messages and deletions; beat's own say "Nightly: 0 2 * * * (m/h/dM/MY/d) UTC".
        schedule.__str__ = lambda row: words.called(row.name)
        crontab.__str__ = words.crontab
