"""Error pages and error mails without this installation's passwords and keys, wherever in them they would stand."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.utils.log import AdminEmailHandler
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from backoffice.results.values.redaction import masking

SECRET = re.compile(r"SECRET|PASS|PWD|TOKEN|CREDENTIAL|API_?KEY|SIGNATURE|PRIVATE_?KEY", re.IGNORECASE)
# Up to the last @, as passwords are not always quoted as they should be; a bare name before it may be a token.
IN_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)\S*@", re.IGNORECASE)
IN_QUERY = re.compile(rf"(?P<name>[?&;][^=&;\s]*(?:{SECRET.pattern})[^=&;\s]*=)[^&;\s]+", re.IGNORECASE)
SHORTEST = 4  # characters: hiding a shorter text would hide the page


class ErrorFilter(SafeExceptionReporterFilter):
    """Django goes by a setting's name; a password also stands in addresses, whose names say nothing."""

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|CREDENTIAL|DSN", flags=re.IGNORECASE
    )

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        cleansed = super().cleanse_setting(key, value)
        if not isinstance(cleansed, str):
            return cleansed
        without = IN_URL.sub(rf"\g<scheme>{self.cleansed_substitute}@", cleansed)
        return IN_QUERY.sub(rf"\g<name>{self.cleansed_substitute}", without)


class ErrorReporter(ExceptionReporter):
    """Also what the settings do not show but local variables, messages and source lines quote."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(without_secrets(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(without_secrets(super().get_traceback_text()))


class ErrorMail(AdminEmailHandler):
    """To ADMINS, where there are some. Its subject and first line are the log's, which no reporter has seen."""

    def send_mail(self, subject: Any, message: Any, *args: Any, **kwargs: Any) -> None:
        super().send_mail(without_secrets(str(subject)), without_secrets(str(message)), *args, **kwargs)


def without_secrets(shown: Any) -> Any:
    """A text, or lists and mappings of whatever."""
    known = {each for secret in secrets(vars_of_settings()) for each in (secret, escape(secret))}
    scrubber = masking(known)
    return scrubber.value(shown) if scrubber else shown


def vars_of_settings() -> dict[str, Any]:
    return {name: getattr(settings, name) for name in dir(settings) if name.isupper()}


def secrets(value: Any, name: str = "") -> Iterator[str]:
    """What is secret in a setting, at whatever depth: by its own name, or as a part of an address."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from secrets(each, str(key))
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from secrets(each, "")
    elif isinstance(value, str):
        found = [value] if SECRET.search(name) else list(in_address(value))
        yield from (each for each in found if len(each) >= SHORTEST)


def in_address(text: str) -> Iterator[str]:
    if "://" not in text:
        return
    try:
        parts = urlsplit(text)
        queried = [each for key, values in parse_qs(parts.query).items() if SECRET.search(key) for each in values]
        given = [parts.password or "", *queried]
    except ValueError:  # a bracket in a password: no part of it can be told from another
        yield text
        return
    for each in given:
        yield from {each, unquote(each)}
