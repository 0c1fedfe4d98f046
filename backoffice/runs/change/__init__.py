"""What record tasks changed: a change set for each record, with what was there before and after.

Read `values` (one value as text), `keep` (what a chunk or a plain call writes), then `shown` (what pages tell of it).
The rows are `models.ChangeSet`.
"""
