"""What this wing writes into the activity log, in words."""

from django.utils.translation import gettext_lazy as _

from backoffice.results import verbs

verbs.add(
    "record",
    _("Records: edits, imports, exports"),
    added=_("Record added"),
    edited=_("Record edited"),
    deleted=_("Record deleted"),
    imported=_("Records imported"),
    exported=_("Records exported"),
    evidence_taken=_("Evidence taken"),
    apart=_("Record said to be no duplicate"),
    apart_withdrawn=_("Decision about a duplicate withdrawn"),
    apart_ended=_("Decision about a duplicate ended: a value changed"),
)
verbs.add(
    "run",
    _("Runs"),
    started=_("Run started"),
    planned=_("Run planned for later"),
    due=_("Planned run began"),
    finished=_("Run finished"),
    cancelled=_("Run cancelled"),
    undone=_("Run undone"),
    repaired=_("Run repaired"),
    dismissed=_("Failures of a run dismissed"),
    exported=_("Evidence of a run exported"),
)
