"""Schedules, firings and timings in the admin."""
