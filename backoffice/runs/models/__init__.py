"""The ledger: runs, their items, the chunks in flight, the workers that hold them, and events yet to be told."""

from .chunk import Chunk
from .event import Event
from .item import RunItem
from .processable import Outcome, Processable, Remembers
from .run import RecordOutcome, Run, RunQuerySet, TaskName, new_uid
from .states import OPEN, TERMINAL, State, state_label
from .worker import Worker

__all__ = [
    "OPEN", "TERMINAL", "Chunk", "Event", "Outcome", "Processable", "RecordOutcome", "Remembers", "Run", "RunItem",
    "RunQuerySet", "State", "TaskName", "Worker", "new_uid", "state_label",
]  # fmt: skip
