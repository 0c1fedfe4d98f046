"""The write side of the audit: every outcome of every task, in Redis and in a row, and the activity log.

Read in this order: `backend` (the mirrored Redis result backend), `rows` and `bulk` (one statement for many rows,
never backwards in state), `spool` (what one store did not take), `activity` (who did what); `values/` is what may
stand in a column and what nobody may read, `message/` is what can be known of a message and of whoever sent it.

Doors for the other wings: `activity.log`, `rows`, `bulk`, `batches.by_key`, `values.text.storable`,
`outage.is_outage`, `message.headers`, `values.redaction.RedactingTask`, `cancel`.
"""
