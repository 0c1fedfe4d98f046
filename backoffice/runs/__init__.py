"""Act: a person selects records and starts a record task; each record is worked on once, or says why not.

Read in this order: `models` (the ledger), `registry` and `record_task` (what a task is), `start` and `snapshot` (the
click), `engine/` (a message's life: broker, claim, chunks, ledger), `sweep` (what brings the rest to its end),
`operations` (cancel, retry), `worker/`, `doctor/`, `pages/`. `database/` has what is asked of the database around all
of it: its clock, its patience, its deadlocks.

Doors: `seam` for teams' apps; for the other wings also `models`, `registry`, `labels`, `access`, `operations`,
`parameters`, `database`, `engine.heartbeats`, `pages.actions`, `pages.confirmation`, `pages.lists`, `pages.timeline`,
`doctor.repair`.
"""
