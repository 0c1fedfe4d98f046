"""The record list's search, and the table of trigrams behind it."""
