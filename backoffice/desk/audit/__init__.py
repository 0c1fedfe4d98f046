"""What happened, to prove it: evidence, timelines, where a result comes from, how long all of it is kept."""
