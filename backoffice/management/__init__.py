"""The commands, and what `up` starts, watches and ends."""
