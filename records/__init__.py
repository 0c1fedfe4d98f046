"""Yours to replace: the shipped record is business-partner master data, checked and normalised field by field.

Read in this order: `models`, `tasks`, `checks/` (the rules), `admin` and `filters`, `outcome` (the record's page),
`exchange` (import and export), `search/`. Nothing in `backoffice` imports it.
"""
