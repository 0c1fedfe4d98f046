"""A task's soft time limit comes before its hard one, also where only the hard one is set."""

from typing import Any

from celery import current_app, signals

ROOM = 0.9  # of the hard limit; the rest is for a task to leave in order


def soft_before(hard: Any, soft: Any) -> Any:
    """The soft limit beside a hard one, both in seconds."""
    if not all(isinstance(limit, int | float) and limit > 0 for limit in (hard, soft)):
        return soft
    return soft if soft <= hard else ROOM * hard


class SoftFollowsHard:
    """In CELERY_TASK_ANNOTATIONS: Celery sends no task whose soft limit is above its hard one, be it the default."""

    def annotate(self, task: Any) -> dict[str, Any] | None:
        soft = soft_before(task.time_limit, task.soft_time_limit)
        if soft == task.soft_time_limit:
            return None
        return {"soft_time_limit": soft, "soft_time_limit_asked": task.soft_time_limit}


@signals.before_task_publish.connect(dispatch_uid="backoffice.results.message.limits")
def follow(sender: str, headers: Any, **_kwargs: Any) -> None:
    """The limits of one call: what only asks for a hard one has the task's own soft one beside it, or the default."""
    hard, soft = headers.get("timelimit") or (None, None)
    if hard:
        default = current_app.conf.task_soft_time_limit
        soft = soft or getattr(current_app.tasks.get(sender), "soft_time_limit", default)
        headers["timelimit"] = [hard, soft_before(hard, soft)]
