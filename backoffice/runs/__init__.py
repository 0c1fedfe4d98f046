"""Act: a person selects records and starts a record task; each record is worked on once, or says why not.

Read in this order: `models` (the ledger), `registry` and `record_task` (what a task is), `start` and `snapshot` (the
click), `engine/` (a message's life: broker, claim, chunks, ledger), `sweep` (what brings the rest to its end),
`verbs` (cancel, retry), `worker/`, `doctor/`, `pages/`. `database/` has what is asked of the database around all of
it: its clock, its patience, its deadlocks.

Doors for the other wings: `record_task.record_task`, `models.Processable` and `Outcome`, `pages.actions`
(`ProcessableAdmin`, `run_action`), `pages.staff.StaffAdmin` for any admin, `start.start`, `access`, `registry`.
"""
