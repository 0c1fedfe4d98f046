"""The desk's pages. Each registers what it shows under unfold, in place of the packages' own."""

from . import activity, people, results, retention

__all__ = ["activity", "people", "results", "retention"]
