"""A message's life, from the cut to the outcome.

`slicing` cuts chunks, `broker` publishes them, `claims` takes them, `chunks` works on them, `ledger` writes what came
of it, `give_back` takes them away again. `plain_call` is the same for one record without a run.
"""
