"""What a notice says: words are made when it is shown."""

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.runs.labels import run_heading
from backoffice.runs.models import Run, state_label
from backoffice.schedules.enabling import BEAT

from .models import Notice


class Told:
    """A notice, for templates."""

    def __init__(self, notice: Notice) -> None:
        self.notice = notice
        self.about = notice.about or {}

    @property
    def title(self) -> str:
        if self.notice.run:
            return run_heading(self.notice.run)
        return _("Schedule “%(name)s”") % {"name": self.about.get("name", "")}

    @property
    def detail(self) -> str:
        if self.notice.run:
            return what_became_of(self.notice.run)
        by, reason = self.about.get("by", ""), str(self.about.get("reason", ""))
        if by and by != BEAT:
            return _("%(who)s turned it off.") % {"who": by} + (f" {reason}" if reason else "")
        return reason or _("It was turned off.")

    @property
    def state(self) -> str:
        """One word of Celery's, which has its badge."""
        return self.notice.run.state if self.notice.run else "warning"

    @property
    def label(self) -> str:
        return state_label(self.state) if self.notice.run else _("turned off")

    @property
    def url(self) -> str:
        """The page of what it is about, which may be gone."""
        try:
            if self.notice.run:
                return reverse("admin:runs_run_change", args=[self.notice.run.pk])
            return reverse("admin:django_celery_beat_periodictask_change", args=[self.about.get("schedule")])
        except NoReverseMatch:
            return reverse("admin:notices")


def what_became_of(run: Run) -> str:
    numbers = {"n": f"{run.total:,}", "failed": f"{run.failed:,}", "done": f"{run.succeeded + run.failed:,}"}
    said = [_cancelled(run, numbers) if run.cancelled_at else _ended(run, numbers)]
    if run.cancelled_at and run.failed:
        said.append(_("%(failed)s failed.") % numbers)
    if run.conflicts:
        left = ngettext("%(n)s record was left alone.", "%(n)s records were left alone.", run.conflicts)
        said.append(left % {"n": f"{run.conflicts:,}"})
    return " ".join(said)


def _ended(run: Run, numbers: dict[str, str]) -> str:
    if not run.total:
        return _("No record was left to work on.")
    if run.failed:
        words = ngettext("%(failed)s of %(n)s record failed.", "%(failed)s of %(n)s records failed.", run.total)
    else:
        words = ngettext("%(n)s record, none failed.", "%(n)s records, none failed.", run.total)
    return words % numbers


def _cancelled(run: Run, numbers: dict[str, str]) -> str:
    words = ngettext(
        "%(who)s cancelled it when %(done)s of %(n)s record was done.",
        "%(who)s cancelled it when %(done)s of %(n)s records were done.",
        run.total,
    )
    return f"{words % {**numbers, 'who': run.cancelled_by}} {run.cancel_reason}".strip()
