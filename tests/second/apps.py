from django.apps import AppConfig


class SecondConfig(AppConfig):
    name = "tests.second"
    label = "second"
