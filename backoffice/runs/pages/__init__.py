"""Runs in the admin: actions at a list of records, the run's page, and what every list and form of staff keeps to."""
