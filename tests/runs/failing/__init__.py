"""Failures that stand, and those that are settled."""
