"""Ledger, TaskResult and Redis beside each other: how far they differ, and the repairs. `compare` first."""
