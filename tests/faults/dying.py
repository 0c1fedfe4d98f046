"""The web application as it is when its process is killed in the middle of a click: gunicorn tests.faults.dying.

DIE_AT says where: "commit", the last statement of the click's transaction, or "publish", right after it.
"""

import os
import signal

from backoffice.wsgi import application

__all__ = ["application"]


def die(*_args: object, **_kwargs: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm() -> None:
    from backoffice.runs import start
    from backoffice.runs.engine import broker

    if os.environ["DIE_AT"] == "commit":
        start.activity.log = die
    else:
        broker.publish = die


arm()
