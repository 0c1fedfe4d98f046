"""What this wing writes into the activity log, in words."""

from django.utils.translation import gettext_lazy as _

from backoffice.results import verbs

verbs.add(
    "failures",
    _("Failure groups"),
    retried=_("Failure group retried"),
    run_again=_("Failed calls run again"),
    dismissed=_("Failures dismissed"),
)
verbs.add(
    "comparison",
    _("Agreement of ledger and results"),
    asked=_("Comparison of ledger and results asked for"),
    ended=_("Ledger and results compared"),
    exported=_("Evidence of a comparison exported"),
)
verbs.add(
    "login",
    _("Sign-ins and refusals"),
    succeeded=_("Signed in"),
    ended=_("Signed out"),
    refused=_("Sign-in refused"),
    locked=_("Sign-in not tried after too many wrong passwords"),
)
verbs.add(
    "access",
    _("Refused pages and actions"),
    refused=_("Page or action refused"),
)
verbs.add(
    "user",
    _("Users"),
    created=_("User created"),
    changed=_("User changed"),
    deleted=_("User deleted"),
    password_set=_("Password set"),
)
verbs.add(
    "group",
    _("Groups"),
    created=_("Group created"),
    changed=_("Group changed"),
    deleted=_("Group deleted"),
)
verbs.add(
    "permissions",
    _("Permissions"),
    changed=_("Permissions changed"),
)
verbs.add(
    "retention",
    _("Retention"),
    changed=_("Retention changed"),
    deleted=_("Old rows deleted"),
)
