from django.apps import AppConfig


class ShippingConfig(AppConfig):
    name = "tests.shipping"
    label = "shipping"
