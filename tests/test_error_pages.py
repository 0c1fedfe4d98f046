"""No password or key of the installation stands in an error page or an error mail, whoever causes it."""

import logging
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client, RequestFactory
from django.views.debug import technical_500_response

from backoffice.errors import ErrorFilter

pytestmark = pytest.mark.once

BROKER = "redis://:geh'eim%2F&1@cache.example:6379/0"
SPELLINGS = ["geh'eim", "geh&#x27;eim", "geh%27eim", "eim%2F", "eim/&amp;1", "eim/&1"]
URLS = {
    "redis://:hidden@cache.example/0": "redis://********************@cache.example/0",
    "rediss://user:hid/d@en@cache.example/0": "rediss://********************@cache.example/0",
    "redis://cache.example/0?password=hidden&x=1": "redis://cache.example/0?password=********************&x=1",
    "https://hidden@errors.example/7": "https://********************@errors.example/7",
    "sentinel://:hidden@one;sentinel://:hidden@two": "sentinel://********************@two",
    "redis://cache.example:6379/0": "redis://cache.example:6379/0",
    "https://www.example/people?page=2": "https://www.example/people?page=2",
}


def error_page(accept: str = "text/html") -> str:
    """The page of an error in which a variable, the message and a source line quote a secret."""
    request: Any = RequestFactory().get("/", HTTP_ACCEPT=accept)
    address = settings.CELERY_BROKER_URL
    try:
        raise ConnectionError(f"{address} does not answer with {settings.SECRET_KEY}")
    except ConnectionError:
        return technical_500_response(request, *sys.exc_info()).content.decode()


@pytest.mark.parametrize(("given", "shown"), URLS.items())
def test_an_address_in_a_setting_loses_its_password(given: str, shown: str) -> None:
    cleanse = ErrorFilter().cleanse_setting
    assert cleanse("BROKER", given) == shown
    assert cleanse("NESTED", {"a": [given, (given,)]}) == {"a": [shown, (shown,)]}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_traceback_quotes_no_secret(settings: Any, accept: str) -> None:
    settings.DEBUG, settings.SECRET_KEY, settings.CELERY_BROKER_URL = True, "signs <everything> & more", BROKER
    settings.DATABASES["default"] = settings.DATABASES["default"] | {"PASSWORD": "of the database"}
    page = error_page(accept)
    assert "cache.example" in page
    for spelling in (*SPELLINGS, "signs <", "signs &lt;", "of the database"):
        assert spelling not in page


def test_a_wrong_host_is_refused_without_any_setting(client: Client) -> None:
    answer = client.get("/admin/login/", HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert b"CELERY" not in answer.content


def test_with_tracebacks_asked_for_a_wrong_host_learns_no_password(client: Client, settings: Any) -> None:
    settings.DEBUG, settings.CELERY_BROKER_URL = True, BROKER
    page = client.get("/admin/login/", HTTP_HOST="evil.example").content.decode()
    assert "CELERY_BROKER_URL" in page
    assert not [spelling for spelling in SPELLINGS if spelling in page]


def test_an_error_mail_quotes_no_secret(settings: Any) -> None:
    settings.ADMINS, settings.CELERY_BROKER_URL = [("Anna", "anna@example.org")], BROKER
    try:
        raise ConnectionError(BROKER)
    except ConnectionError:
        logging.getLogger("django.request").exception("No answer from %s", BROKER)
    (sent,) = mail.outbox
    whole = f"{sent.subject}{sent.body}{sent.alternatives}"
    assert "No answer from" in whole
    assert not [spelling for spelling in SPELLINGS if spelling in whole]


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [
        ("/nowhere", 404, "There is nothing here"),
        ("/admin/login/", 403, "This form is of an earlier sign-in"),
        ("/admin/", 500, "Something broke on our side"),
    ],
)
def test_what_goes_wrong_is_told_in_words_without_the_database(monkeypatch: Any, path: str, status: int, heading: str):
    """These tests have none; asking it raises."""
    monkeypatch.setattr("backoffice.desk.parts.refusals.note", lambda request, **details: None)
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32
    answer = client.post(path) if status == 403 else client.get(path)
    assert answer.status_code == status
    assert heading in answer.text
    assert "color-scheme" in answer.text
