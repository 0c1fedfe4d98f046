"""Only UTF-8 is read. Django would read the address and the form by whatever codec a request names, "hex" too, and
raises for many of them before a middleware or an error page has its turn; so this stands before Django."""

import codecs
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.http import parse_header_parameters

type Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
WORDS = b"What you sent is declared to be in another charset. Only UTF-8 is taken.\n"
HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(WORDS)))]


def only_utf8(application: Application) -> Application:
    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        kind, given = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        if "charset" not in given:
            return application(environ, start_response)
        if not is_utf8(given.pop("charset")):
            start_response("415 Unsupported Media Type", HEADERS)
            return [WORDS]
        # Without it, as Django takes other spellings of UTF-8 for something else.
        environ["CONTENT_TYPE"] = "; ".join([kind, *(f'{name}="{value}"' for name, value in given.items())])
        return application(environ, start_response)

    return answer


def is_utf8(charset: str) -> bool:
    """A name that is nobody's counts as none, as it does for Django."""
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):
        return True
