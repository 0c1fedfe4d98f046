"""What records that are deleted were called."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _

from backoffice.results import activity
from backoffice.results.models import Activity


def names(model: Any, ids: Collection[int]) -> dict[int, str]:
    """As the log of their deletion calls them; of what SQL deleted, and nobody logged, there is the number alone."""
    if not ids:
        return {}
    logged = Activity.objects.filter(
        model=activity.label_of(model), object_id__in=[str(pk) for pk in ids], verb="record.deleted"
    )
    called = {int(pk): name for pk, name in logged.order_by("pk").values_list("object_id", "target")}
    unknown = _("%(record)s %(number)d")
    return {
        pk: _("%(name)s (deleted)")
        % {"name": called.get(pk) or unknown % {"record": model._meta.verbose_name, "number": pk}}
        for pk in ids
    }
