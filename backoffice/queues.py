"""The queues there are. A plain `celery -A backoffice worker` serves all; `up` and deploy/ give each its own."""

RECORDS = "records"  # chunks of runs
TASKS = "tasks"  # plain calls, and whatever names no other
CONTROL = "control"  # the machine's own: the sweep and what schedules start, never behind anybody's work
ALL = (RECORDS, CONTROL, TASKS)
