"""What this wing writes into the activity log, in words."""

from django.utils.translation import gettext_lazy as _

from backoffice.results import verbs

verbs.add(
    "schedule",
    _("Schedules"),
    added=_("Schedule added"),
    changed=_("Schedule changed"),
    enabled=_("Schedule turned on"),
    disabled=_("Schedule turned off"),
    run_now=_("Schedule run by hand"),
    done=_("Schedule fired for its only time"),
    deleted=_("Schedule deleted"),
)
verbs.add(
    "timing",
    _("Timings of schedules"),
    deleted=_("Timing deleted"),
)
