"""What a team's own app needs of runs, in one place. docs/your-own-model.md shows it at work.

Models, tasks and admin of an app may import this module. Everything behind it may move between versions; these names
stay, or the changelog says what takes their place.
"""

from .access import may_start
from .editing.task import bulk_edit
from .engine.events import on_run_finished
from .failing.outcome import FailedFilter
from .models import Outcome, Processable, RecordOutcome, Requested, Run, State
from .models.compared import keep as compare
from .operations import Cancelled, cancel, retry, undo
from .pages.actions import Action, run_action
from .pages.duplicates.listed import DuplicateFilter
from .pages.records import ProcessableAdmin
from .pages.staff import StaffAdmin
from .pages.workbench.notes import Note
from .parameters import BadParameters
from .preview.counts import Preview, preview
from .record_task import record_task
from .registry import RecordTask
from .snapshot import Records
from .start import EmptySelection, start

__all__ = [
    "Action", "BadParameters", "Cancelled", "DuplicateFilter", "EmptySelection", "FailedFilter", "Note", "Outcome",
    "Preview", "Processable", "ProcessableAdmin", "RecordOutcome", "RecordTask", "Records", "Requested", "Run",
    "StaffAdmin", "State", "bulk_edit", "cancel", "compare", "may_start", "on_run_finished", "preview",
    "record_task", "retry", "run_action", "start", "undo",
]  # fmt: skip
