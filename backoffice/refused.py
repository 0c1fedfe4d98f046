"""What the environment says and nobody can follow: told in one sentence, by whichever program reads it first."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured

QUOTED = "with what is special in a password written as in an address (@ is %40, / is %2F)"
WANTED = {
    "BACKOFFICE_VAR": "it names a folder that this user can make or write to",
    "DATABASE_URL": f"write postgresql://user:password@host:5432/name, or sqlite:////whole/path, {QUOTED}",
    "EMAIL_URL": f"write smtp+tls://user:password@host:587, smtp+ssl://, smtp://, console: or file:///folder, {QUOTED}",
    "REDIS_URL": f"write redis://:password@host:6379, rediss:// with TLS, or unix:///path of a socket, {QUOTED}",
}


class Refused(SystemExit, ImproperlyConfigured):  # noqa: N818 - not an error of the program's
    """Where nobody catches it Python prints the sentence, without a traceback, and ends with exit code 1."""


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Raises Refused, which holds no password: what a library says of an address may quote a part of one."""
    try:
        yield
    except ImproperlyConfigured as refusal:
        raise Refused(str(refusal)) from None
    except OSError as error:
        raise Refused(f"{name} cannot be used, {error.filename}: {error.strerror}: {WANTED[name]}.") from None
    except ValueError:
        raise Refused(f"{name} cannot be read: {WANTED[name]}.") from None
