"""Of what a model says its records are compared by."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register

from ..models import Processable


@register("runs")
def compared_fields(**_kwargs: Any) -> list[CheckMessage]:
    """They are columns of the record's own: a write of one is how it is known that a record is another one now."""
    found: list[CheckMessage] = []
    for model in apps.get_models():
        if issubclass(model, Processable):
            own = {field.name for field in model._meta.concrete_fields}
            for name in sorted(set(model.compared) - own):
                told = f"{model._meta.label} is compared by {name!r}, which is no field of it."
                hint = "`compared` is a tuple of names of its own fields, those that likenesses() reads."
                found.append(Error(told, hint=hint, obj=model, id="runs.E022"))
    return found
