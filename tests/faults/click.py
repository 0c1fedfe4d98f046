"""A click without a browser: start "poke" over every probe. Patched by arguments to die where a test says.

python -m tests.faults.click [--die-at N]    SIGKILL to itself instead of publishing the Nth message
"""

import argparse
import os
import signal

import django


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--die-at", type=int, default=0)
    options = parser.parse_args()
    django.setup()
    from backoffice.runs.registry import find
    from backoffice.runs.start import start
    from tests.probe.models import Probe

    task, sent = find("poke"), []
    publish = type(task).apply_async

    def counted(*args: object, **kwargs: object) -> object:
        sent.append(1)
        if len(sent) == options.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return publish(*args, **kwargs)

    type(task).apply_async = counted
    start(Probe.objects.all(), task)


if __name__ == "__main__":
    main()
