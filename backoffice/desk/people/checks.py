"""What a user model must have, so that the desk can say who may do what."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import PermissionsMixin
from django.core import checks


@checks.register
def user_model_has_powers(**kwargs: Any) -> list[checks.CheckMessage]:
    model = get_user_model()
    found: list[checks.CheckMessage] = []
    if not issubclass(model, PermissionsMixin):
        words = f"{model._meta.label} has no groups and permissions, by which is decided who may do what."
        hint = "Let it inherit django.contrib.auth.models.PermissionsMixin."
        found.append(checks.Error(words, hint=hint, obj=model, id="backoffice.E101"))
    if not hasattr(model, "is_staff"):
        words = f"{model._meta.label} has no is_staff, without which nobody can sign in."
        hint = "Give it is_staff = models.BooleanField(default=False)."
        found.append(checks.Error(words, hint=hint, obj=model, id="backoffice.E102"))
    return found
