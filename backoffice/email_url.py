"""EMAIL_URL as Django's settings have it, one address for the mail server as there is one for the database; and whose
addresses stand in a mail."""

from typing import Any
from urllib.parse import unquote, urlsplit

SCHEMES = {"smtp": (25, {}), "smtp+tls": (587, {"EMAIL_USE_TLS": True}), "smtp+ssl": (465, {"EMAIL_USE_SSL": True})}
BACKEND = "django.core.mail.backends.{}.EmailBackend"
SECONDS = 10  # for each word of the server's: a task of the queue `tasks` waits for it


def settings(url: str) -> dict[str, Any]:
    """Without a URL no mail is sent. Raises ValueError, whose message holds no password."""
    parts = urlsplit(url)
    if not url:
        return {"EMAIL_BACKEND": BACKEND.format("dummy")}
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": BACKEND.format("console")}
    if parts.scheme == "file" and parts.path.strip("/"):
        return {"EMAIL_BACKEND": BACKEND.format("filebased"), "EMAIL_FILE_PATH": unquote(parts.path)}
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError("no address of a mail server")
    port, secure = SCHEMES[parts.scheme]
    return {
        "EMAIL_BACKEND": BACKEND.format("smtp"),
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_TIMEOUT": SECONDS,
        **secure,
    }


def site(given: str, origins: list[str], hosts: list[str], https: bool) -> str:
    """The address with which links in mails begin: as given, else as far as the other settings know it."""
    host = next((host for host in hosts if not host.startswith((".", "*"))), "localhost")
    return (given or next(iter(origins), "") or f"{'https' if https else 'http'}://{host}").rstrip("/")


def sender(given: str, site: str) -> str:
    return given or f"backoffice@{urlsplit(site).hostname or 'localhost'}"
