"""The desk's pages. Each registers what it shows under unfold, in place of the packages' own."""

from . import activity, groups, people, results, retention

__all__ = ["activity", "groups", "people", "results", "retention"]
