"""The schedule form: what a person fills in, what it would do, and which of it changed."""
