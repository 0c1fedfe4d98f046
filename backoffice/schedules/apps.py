from django.apps import AppConfig


class SchedulesConfig(AppConfig):
    name = "backoffice.schedules"
    verbose_name = "Schedules"
