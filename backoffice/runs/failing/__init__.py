"""Failures that stand, and those that are settled: mended by a later run, or dismissed with a reason.

What a failure is, for pages, lists, counts and retries alike, is said in `standing` and nowhere else.
"""
