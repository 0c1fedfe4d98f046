"""System checks: what must hold for a record type and its tasks, said at start and not at the first click."""

from . import asked, compared, declared

__all__ = ["asked", "compared", "declared"]
