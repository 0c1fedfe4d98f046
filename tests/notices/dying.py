"""Tells one event as a worker does that is killed in the middle: python -m tests.notices.dying PLACE EVENT."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django


def die(*_args: object, **_options: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(function: Callable[..., Any]) -> Callable[..., Any]:
    def both(*args: Any) -> None:
        function(*args)
        die()

    return both


def main(place: str, event: int) -> None:
    django.setup()
    from backoffice.notices import mail, writing
    from backoffice.runs.engine import events
    from backoffice.runs.models import Event
    from backoffice.runs.registry import record_tasks

    record_tasks()
    receivers = events._receivers
    if place == "before the notice is written":
        writing.Preference.of = die
    elif place == "with the notice not committed":
        writing.events = type("Dying", (), {"write": die})
    elif place == "after the notice":
        name = "backoffice.notices.writing.run_ended"
        receivers[Event.Kind.RUN_FINISHED][name] = then_die(receivers[Event.Kind.RUN_FINISHED][name])
    elif place == "before the mail":
        mail.message = die
    elif place == "after the mail":
        receivers[Event.Kind.NOTICE]["backoffice.notices.mail.send"] = then_die(mail.send)
    events.tell(event)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
