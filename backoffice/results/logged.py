"""What this wing writes into the activity log, in words."""

from django.utils.translation import gettext_lazy as _

from . import verbs

verbs.add(
    "task",
    _("Tasks"),
    cancelled=_("Task asked to stop"),
)
