"""What is said to whoever has just started a run."""

from django.contrib import messages
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...labels import skip_words
from ...models import Run


def message_of(run: Run, again: bool) -> tuple[str, int]:
    if again:
        return _("This form was sent before: here is the run it started."), messages.INFO
    skips = skip_words(run.task.name, run.skip_reasons) if run.skip_reasons else {}
    skipped = "; ".join(f"{number:,} {reason}" for reason, number in skips.items())
    text = ngettext("%(n)s record is in this run.", "%(n)s records are in this run.", run.total) % {
        "n": f"{run.total:,}"
    }
    if skipped:
        text += " " + _("Skipped: %(reasons)s.") % {"reasons": skipped}
    if run.cancelled_at:
        return text + " " + _("The run was cancelled: %(reason)s.") % {"reason": run.cancel_reason}, messages.ERROR
    if run.waits_for_broker:
        text += " " + _("Redis cannot be reached right now: the run is saved and starts by itself when Redis is back.")
        return text, messages.WARNING
    return text, messages.SUCCESS
