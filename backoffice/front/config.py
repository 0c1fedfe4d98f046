"""gunicorn's configuration:  gunicorn backoffice.wsgi:application --config python:backoffice.front.config"""

from ipaddress import ip_address
from typing import Any

worker_class = "backoffice.front.worker.PatientWorker"
logger_class = "backoffice.front.log.LineLogger"
workers = 2
threads = 4
worker_connections = 400  # each a file, and another one for a large body: below the usual limit of 1,024
keepalive = 15  # seconds; a connection that waits costs no thread
graceful_timeout = 15
limit_request_line = 8190  # a list with every filter set
limit_request_fields = 60
limit_request_field_size = 8190
sendfile = False  # it would write past the worker's own socket
control_socket_disable = True
# What proxies say is Django's to believe, by their declared number; gunicorn would believe anybody on this machine.
forwarded_allow_ips = ""

ALONE = (
    "This web server can be reached from other machines, and no proxy is declared before it (DJANGO_BEHIND_PROXY). In "
    "production put one there that speaks TLS, and let nobody go past it."
)


def when_ready(server: Any) -> None:
    from django.conf import settings

    reached = [listener.sock.getsockname() for listener in server.LISTENERS]
    if not settings.PROXIES and any(isinstance(name, tuple) and not _on_loopback(name[0]) for name in reached):
        server.log.warning(ALONE)


def _on_loopback(host: str) -> bool:
    return ip_address(host.partition("%")[0]).is_loopback
