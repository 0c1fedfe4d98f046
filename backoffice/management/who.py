"""Who types a command, for the activity log."""

import getpass


def who(command: str) -> str:
    try:
        return f"manage.py {command} ({getpass.getuser()})"
    except (KeyError, OSError):  # a container's user without a name
        return f"manage.py {command}"
