"""Where a task result comes from: the run, the record, who asked, and why. Joined by the task id alone."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils.translation import gettext as _

from backoffice.runs import access
from backoffice.runs.ids import split_task_id
from backoffice.runs.models import Run

from ..parts.links import admin_url


@dataclass(slots=True)
class Origin:
    source: str
    requester: str = ""
    schedule: str = ""
    run: Run | None = None
    run_url: str = ""
    record: str = ""
    record_url: str = ""


def trace(results: Iterable[Any], user: Any) -> dict[str, Origin]:
    """By task id. One query for the runs of a page, and one for each kind of record on it."""
    results = list(results)
    items = {result.task_id: item for result in results if (item := split_task_id(result.task_id))}
    runs = {run.uid: run for run in find_runs({uid for uid, _record_id in items.values()})}
    records = find_records([(runs[uid], record_id) for uid, record_id in items.values() if uid in runs], user)
    return {result.task_id: origin_of(result, items.get(result.task_id), runs, records, user) for result in results}


def find_runs(uids: set[str]) -> Iterable[Run]:
    return Run.objects.filter(uid__in=uids).select_related("task", "record_type") if uids else ()


def find_records(pairs: list[tuple[Run, int]], user: Any) -> dict[tuple[int, int], Model]:
    """The records this person may see, by record type and id."""
    wanted: dict[ContentType, set[int]] = defaultdict(set)
    for run, record_id in pairs:
        wanted[run.record_type].add(record_id)
    found: dict[tuple[int, int], Model] = {}
    for kind, ids in wanted.items():
        model = kind.model_class()
        if model is not None and may_view(user, model):
            found |= {(kind.pk, pk): record for pk, record in model._base_manager.in_bulk(ids).items()}
    return found


def may_view(user: Any, model: type[Model]) -> bool:
    meta = model._meta
    return any(user.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}") for verb in ("view", "change"))


def origin_of(
    result: Any, item: tuple[str, int] | None, runs: dict[str, Run], records: dict[tuple[int, int], Model], user: Any
) -> Origin:
    run = runs.get(item[0]) if item else None
    if run is None or item is None:
        schedule = result.periodic_task_name or ""
        return Origin(_("schedule") if schedule else _("direct"), schedule=schedule)
    record = records.get((run.record_type_id, item[1]))
    return Origin(
        source=run.source_words,
        requester=run.requester_name,
        schedule=run.schedule_name,
        run=run,
        run_url=admin_url(run) if access.may_see(user, run) else "",
        record=str(record) if record else _("record %s") % item[1],
        record_url=admin_url(record) if record else "",
    )
