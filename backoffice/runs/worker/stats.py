"""What `inspect stats` tells: Celery leaves out the broker's password, but a socket's address it takes for a host."""

from typing import Any

from celery.worker import control

from backoffice.errors import without_secrets


@control.inspect_command()
def stats(state: Any, **kwargs: Any) -> Any:
    """Request worker statistics/information."""
    return without_secrets(control.stats(state, **kwargs))
