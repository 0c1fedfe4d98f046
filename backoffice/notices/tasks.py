"""What the outbox calls, in a worker of the queue `tasks`."""

from backoffice.runs.engine import events
from backoffice.runs.models import Event

from . import mail, writing

events.on_run_finished(writing.run_ended)
events.on(Event.Kind.SCHEDULE_OFF, writing.schedule_off)
events.on(Event.Kind.NOTICE, mail.send)
