"""How many records of a run came to which outcome, and how many failed alike.

`groups` says which failures are alike, `keep` counts with each chunk, `again` counts what is there.
"""
