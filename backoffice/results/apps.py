from django.apps import AppConfig


class ResultsConfig(AppConfig):
    name = "backoffice.results"
    verbose_name = "Results"
