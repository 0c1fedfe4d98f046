"""Where Django looks for the admin of an app; it is in `pages`."""

from .pages import admin  # noqa: F401 - registers it
