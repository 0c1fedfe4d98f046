from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from .receivers import log_refusal


class SignInForm(AuthenticationForm):
    """Also logs whom Django refuses after a correct password, for which it sends no signal."""

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            log_refusal(user.get_username(), self.request, reason="not a member of staff")
            raise
