"""The Celery app, found by `celery -A backoffice`."""

import os

from celery import Celery, Task

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

app = Celery("backoffice")
app.config_from_object("django.conf:settings", namespace="CELERY")
# The result URL stays a plain redis:// one; what answers for it also writes the audit row.
app.loader.override_backends = {
    "redis": "backoffice.results.backend:MirroredRedisBackend",
    "rediss": "backoffice.results.backend:MirroredRedisBackend",
}
app.steps["worker"].add("backoffice.runs.worker:Heartbeat")
app.autodiscover_tasks()


@app.task(bind=True, ignore_result=True)
def debug_task(self: Task) -> None:
    print(f"Request: {self.request!r}")  # noqa: T201 - what the field's usual guide does
