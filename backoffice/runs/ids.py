"""Ids and names that are made of parts: the one place where they are put together and taken apart."""

import re

from django.utils.translation import gettext as _

_ITEM = re.compile(r"([0-9a-f]{32})-(-?\d{1,19})")


def item_task_id(uid: str, record_id: int) -> str:
    """By which ledger, TaskResult and Redis know an item. `uid`: its run's."""
    return f"{uid}-{record_id}"


def split_task_id(task_id: str) -> tuple[str, int] | None:
    """The run's uid and the record's id, if the id is one of a run's items."""
    match = _ITEM.fullmatch(task_id)
    return (match[1], int(match[2])) if match else None


def worker_name(node: str, pid: int, start: str) -> str:
    """Whose a chunk is: node name, main process id, and what no other start has drawn."""
    return f"{node}/{pid}/{start}"


def in_words(worker: str) -> str:
    """A worker's or beat's name as people know it."""
    node, _slash, rest = worker.partition("/")
    return _("%(node)s, process %(pid)s") % {"node": node, "pid": rest.partition("/")[0]} if rest else worker
