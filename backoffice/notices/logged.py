"""What this wing writes into the activity log, in words."""

from django.utils.translation import gettext_lazy as _

from backoffice.results import verbs

verbs.add(
    "notices",
    _("Notices"),
    chosen=_("Chose what to be told"),
    unsubscribed=_("E-mails ended by their link"),
)
