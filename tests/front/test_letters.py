"""What a request says of its letters: UTF-8 however it is written, and nothing else, on every page."""

import io
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.wsgi import get_wsgi_application

from backoffice.front.letters import only_utf8

pytestmark = pytest.mark.django_db(transaction=True)  # a request that has ended closes its connection
KINDS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "text/plain"]


def status(method: str, content_type: str) -> int:
    body = urlencode({"username": "anna", "password": "wrong"}).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": "/admin/login/", "QUERY_STRING": "next=/", "HTTP_HOST": "localhost",
        "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
    }  # fmt: skip
    setup_testing_defaults(environ)
    answered: list[str] = []
    answer = only_utf8(get_wsgi_application())(environ, lambda line, headers: answered.append(line))
    assert b"".join(answer)
    return int(answered[0].split()[0])


@pytest.mark.parametrize("kind", KINDS)
def test_other_letters_are_refused_before_anything_reads_them(kind: str) -> None:
    for charset in ("utf-7", "utf-16", "hex", "zlib", "rot13", "idna", "iso-8859-1", '"hex"'):
        for written in (f"{kind}; charset={charset}", f"{kind};CHARSET={charset}; a=b", f"{kind}; charset*=utf-8''hex"):
            assert (status("GET", written), status("POST", written)) == (415, 415), written


@pytest.mark.parametrize("kind", KINDS)
def test_utf_8_is_read_however_it_is_written(kind: str) -> None:
    for charset in ("utf-8", "UTF8", '"Utf_8"', "nosuch", ""):
        assert status("GET", f"{kind}; charset={charset}") == 200
        assert status("POST", f"{kind}; charset={charset}") == 403  # read, and found to be without a token
