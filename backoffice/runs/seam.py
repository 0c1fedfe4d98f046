"""What a team's own app needs of runs, in one place. docs/your-own-model.md shows it at work.

Models, tasks and admin of an app may import this module. Everything behind it may move between versions; these names
stay, or the changelog says what takes their place.
"""

from .engine.events import on_run_finished
from .models import Outcome, Processable, Run
from .pages.actions import Action, ProcessableAdmin, run_action
from .pages.staff import StaffAdmin
from .record_task import record_task
from .registry import RecordTask
from .start import EmptySelection, RunRequest, start

__all__ = [
    "Action", "EmptySelection", "Outcome", "Processable", "ProcessableAdmin", "RecordTask", "Run", "RunRequest",
    "StaffAdmin", "on_run_finished", "record_task", "run_action", "start",
]  # fmt: skip
