"""What every admin is made with, beside the theme's ModelAdmin: lists that keep their filters, edits that are seen,
deletes of any number, records whose edits are logged."""

from .deleting import DeletesAll
from .edits import SeenEdits
from .lists import StaffLists
from .record_edits import RecordEdits


class StaffAdmin(StaffLists, RecordEdits, SeenEdits, DeletesAll):
    """Stands before ModelAdmin."""
