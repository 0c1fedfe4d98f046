"""Kinds of forms by which a task asks."""
