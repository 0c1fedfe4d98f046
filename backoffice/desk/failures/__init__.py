"""Failures grouped by what went wrong, and their retry."""
