"""What every admin is made with, beside the theme's ModelAdmin: lists that keep their filters, edits that are seen,
deletes of any number."""

from .deleting import DeletesAll
from .edits import SeenEdits
from .lists import StaffLists


class StaffAdmin(StaffLists, SeenEdits, DeletesAll):
    """Stands before ModelAdmin."""
