"""Where a request comes from: the connection's other end, or what as many proxies as are declared say of it."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest | None) -> str:
    """Empty where there is none: no request, or a web server that listens on a socket file.

    Each proxy adds the address it was asked from at the right end of X-Forwarded-For. What stands further to the left
    than the declared number anybody may have written, and with none declared all of it.
    """
    if request is None:
        return ""
    peer = _plain(request.META.get("REMOTE_ADDR", ""))
    passed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies: int = settings.PROXIES
    if not proxies or len(passed) < proxies:  # fewer: somebody went past a proxy
        return peer
    return _plain(passed[-proxies]) or peer


def household(address: str) -> str:
    """Whom an address belongs to: one connection to the internet is given 2^64 addresses of IPv6."""
    found = _parsed(address)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address


def _plain(text: str) -> str:
    found = _parsed(text.strip())
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(found or "")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Some proxies write the port as well: 192.0.2.1:4711, [2001:db8::1]:4711."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ip_address(text)
    except ValueError:
        return None
