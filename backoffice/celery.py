"""The Celery app, found by `celery -A backoffice`."""

import logging
import os
from typing import Any

import django
from celery import Celery, Task
from celery.app.utils import Settings
from django.apps import apps
from django.utils.translation import gettext_lazy as _
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")


class CensoredSettings(Settings):
    """What reports and inspections show: Celery goes by names without our prefix, and the broker's address has one."""

    def table(self, with_defaults: bool = False, censored: bool = True) -> dict[str, Any]:
        from backoffice.errors import ErrorFilter, without_secrets  # they need settings, which need this

        shown = super().table(with_defaults, censored)
        return without_secrets(ErrorFilter().cleanse_setting("", shown)) if censored else shown


class DjangoCelery(Celery):
    """Sets Django up when it is first used: the base of its tasks and its result backend read models, and a script that
    only imports the app, or a command of Celery's, loads none."""

    def on_init(self) -> None:
        object.__setattr__(self.conf, "__class__", CensoredSettings)  # its own __setattr__ would write a setting

    def _load_config(self) -> Settings:
        _set_django_up()  # not by on_configure, which logs what is raised and goes on
        return super()._load_config()

    def finalize(self, auto: bool = False) -> None:
        _set_django_up()
        super().finalize(auto)


def _set_django_up() -> None:
    if not apps.loading:  # stays true once all is loaded
        django.setup()


app = DjangoCelery("backoffice", task_cls="backoffice.results.values.redaction:RedactingTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
# The result URL stays a plain redis:// one; what answers for it also writes the audit row.
app.loader.override_backends = dict.fromkeys(
    ("redis", "rediss", "socket"), "backoffice.results.backend:MirroredRedisBackend"
)

# Likewise the broker's: what somebody else pushed into a queue does not end a worker.
TRANSPORT_ALIASES |= dict.fromkeys(("redis", "rediss"), "backoffice.results.message.transport:Transport")


OFTEN = ("backoffice.runs.tasks.sweep", "backoffice.desk.tasks.count_records")


def _is_news(record: logging.LogRecord) -> bool:
    """What comes every few seconds, or twice a minute, would bury by its coming and going what a person looks for."""
    told = record.args if isinstance(record.args, dict) else {}
    return record.levelno > logging.INFO or told.get("name") not in OFTEN


for _logger in ("celery.worker.strategy", "celery.app.trace"):
    logging.getLogger(_logger).addFilter(_is_news)

app.steps["worker"].add("backoffice.runs.worker.main_process:Heartbeat")
app.autodiscover_tasks()


@app.task(bind=True, ignore_result=True, schedulable=True, label=_("Try out: log the request"))
def debug_task(self: Task) -> None:
    print(f"Request: {self.request!r}")  # noqa: T201 - what the field's usual guide does
