"""A Redis address as each library wants it: kombu and Celery write a Unix socket in another way than redis-py."""

from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SOCKETS = ("unix", "socket", "redis+unix", "redis+socket")
# Neither library reads the other's word for the database, and kombu reads no password in a query.
TAKEN_OUT = ("db", "virtual_host", "username", "password")
CERTIFICATES = {"CERT_NONE": "none", "CERT_OPTIONAL": "optional", "CERT_REQUIRED": "required"}
ONE_SERVER = (
    "REDIS_URL names several servers or a Sentinel, which the back office cannot follow: let it name the one Redis, "
    "as redis://:password@host:6379 (a semicolon in a password is written %3B)."
)
THREE_SLASHES = "REDIS_URL names a Unix socket without its whole path: write unix:///run/redis/redis.sock."


@dataclass(frozen=True, slots=True)
class Address:
    scheme: str
    place: str  # user, host and port
    path: str  # of a socket
    number: str
    query: tuple[str, ...]

    @classmethod
    def read(cls, url: str) -> "Address":
        """Raises ImproperlyConfigured, whose message holds no password, and ValueError, whose message may hold one."""
        parts = urlsplit(url)
        if ";" in url or "sentinel" in parts.scheme:
            raise ImproperlyConfigured(ONE_SERVER)
        if parts.scheme not in {"redis", "rediss", *SOCKETS} or parts.port == 0:
            raise ValueError("no Redis address")
        user, _, host = parts.netloc.rpartition("@")
        if parts.scheme in SOCKETS and (host or not parts.path.strip("/")):
            raise ImproperlyConfigured(THREE_SLASHES)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if "password" in given or "username" in given:
            name, _, password = user.partition(":")
            name, password = quote(given.get("username", "")) or name, quote(given.get("password", ""), "") or password
            user = f"{name}:{password}"
        number = given.get("db") or given.get("virtual_host") or "0"
        place = f"{user}@{host}" if user else host
        return cls(parts.scheme, place, parts.path, number, _rest(parts.scheme, parts.query))

    def with_query(self, start: str, *more: str) -> str:
        query = "&".join([*more, *self.query])
        return f"{start}?{query}" if query else start


def _rest(scheme: str, query: str) -> tuple[str, ...]:
    """What else the query says, as it is written but for the words that only some of the libraries know."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    if scheme == "rediss" and "ssl_cert_reqs" not in {name for name, _, _ in pairs}:
        pairs.append(("ssl_cert_reqs", "=", "required"))  # without it Celery refuses, and kombu trusts anybody
    return tuple(
        f"{name}{equals}{CERTIFICATES.get(value, value)}" for name, equals, value in pairs if name not in TAKEN_OUT
    )


def database(url: str, number: int) -> str:
    """For Celery, as broker or result backend. Raises ImproperlyConfigured and ValueError."""
    address = Address.read(url)
    if address.scheme in SOCKETS:
        return address.with_query(f"redis+socket://{address.place}{address.path}", f"virtual_host={number}")
    return address.with_query(f"{address.scheme}://{address.place}/{number}")


def for_client(url: str) -> str:
    """For redis-py. Raises ImproperlyConfigured and ValueError."""
    address = Address.read(url)
    if address.scheme in SOCKETS:
        return address.with_query(f"unix://{address.place}{address.path}", f"db={address.number}")
    return address.with_query(f"{address.scheme}://{address.place}{address.path}")
