from django.apps import AppConfig


class FreightConfig(AppConfig):
    name = "tests.freight"
    label = "freight"
