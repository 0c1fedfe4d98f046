from ..ours_plain.tasks import click

__all__ = ["click"]
