"""The ledger: runs, their items, what these came to, chunks in flight, workers, events to be told; what changed."""

from .change import ChangeSet, FieldChange, FieldMove, LeftAlone
from .chunk import Chunk
from .dismissal import Dismissal
from .event import Event
from .item import RunItem
from .likeness import Apart, Likeness, LookedOver
from .processable import Outcome, Processable, Requested
from .run import RecordOutcome, Run, RunQuerySet, TaskName, new_uid, sees_schedules, source_words
from .states import OPEN, TERMINAL, State, state_label
from .tally import Tally
from .worker import Worker

__all__ = [
    "OPEN", "TERMINAL", "Apart", "ChangeSet", "Chunk", "Dismissal", "Event", "FieldChange", "FieldMove", "LeftAlone",
    "Likeness", "LookedOver", "Outcome", "Processable", "RecordOutcome", "Requested", "Run", "RunItem", "RunQuerySet",
    "State", "Tally", "TaskName", "Worker", "new_uid", "sees_schedules", "source_words",
    "state_label",
]  # fmt: skip
