"""System checks: what must hold for a record type and its tasks, said at start and not at the first click."""

from . import asked, compared, declared, which

__all__ = ["asked", "compared", "declared", "which"]
