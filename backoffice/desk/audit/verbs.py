"""What the activity log's verbs are called where people read and choose them."""

from django.utils.translation import gettext_lazy as _

# In the order in which they are offered. A verb that is not here shows as it is written.
KINDS = {
    "run": _("Runs"),
    "record": _("Records: edits, imports, exports"),
    "failures": _("Failure groups"),
    "schedule": _("Schedules"),
    "timing": _("Timings of schedules"),
    "task": _("Tasks"),
    "login": _("Sign-ins and refusals"),
    "access": _("Refused pages and actions"),
    "user": _("Users"),
    "group": _("Groups"),
    "permissions": _("Permissions"),
    "retention": _("Retention"),
}
WORDS = {
    "run.started": _("Run started"),
    "run.planned": _("Run planned for later"),
    "run.due": _("Planned run began"),
    "run.cancelled": _("Run cancelled"),
    "run.repaired": _("Run repaired"),
    "run.exported": _("Evidence of a run exported"),
    "record.added": _("Record added"),
    "record.edited": _("Record edited"),
    "record.deleted": _("Record deleted"),
    "record.imported": _("Records imported"),
    "record.exported": _("Records exported"),
    "failures.retried": _("Failure group retried"),
    "failures.run_again": _("Failed calls run again"),
    "schedule.added": _("Schedule added"),
    "schedule.changed": _("Schedule changed"),
    "schedule.enabled": _("Schedule turned on"),
    "schedule.disabled": _("Schedule turned off"),
    "schedule.run_now": _("Schedule run by hand"),
    "schedule.done": _("Schedule fired for its only time"),
    "schedule.deleted": _("Schedule deleted"),
    "timing.deleted": _("Timing deleted"),
    "task.cancelled": _("Task asked to stop"),
    "login.succeeded": _("Signed in"),
    "login.ended": _("Signed out"),
    "login.refused": _("Sign-in refused"),
    "login.locked": _("Sign-in not tried after too many wrong passwords"),
    "access.refused": _("Page or action refused"),
    "user.created": _("User created"),
    "user.deleted": _("User deleted"),
    "user.password_set": _("Password set"),
    "group.created": _("Group created"),
    "group.deleted": _("Group deleted"),
    "permissions.changed": _("Permissions changed"),
    "retention.changed": _("Retention changed"),
    "retention.deleted": _("Old rows deleted"),
}


def in_words(verb: str) -> str:
    return str(WORDS.get(verb, verb))
