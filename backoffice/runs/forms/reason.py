"""Why somebody does something: kept with it, and of one length wherever it is given."""

from django.utils.translation import gettext as _

LONGEST = 1_000  # characters


def too_long(reason: str) -> str:
    """The sentence for whoever gave it; "" for one that fits."""
    if len(reason.strip()) <= LONGEST:
        return ""
    told = {"n": f"{len(reason.strip()):,}", "most": f"{LONGEST:,}"}
    return _("The reason has %(n)s characters: say it in %(most)s at most.") % told
