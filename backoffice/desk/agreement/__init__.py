"""Is anything missing? Ledger, task results and Redis compared by a worker, because somebody asked; `asking` first."""
