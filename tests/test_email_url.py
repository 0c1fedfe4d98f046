"""EMAIL_URL as Django's settings have it."""

import pytest

from backoffice import email_url

SMTP = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_TIMEOUT": email_url.SECONDS}
NOBODY = {"EMAIL_HOST_USER": "", "EMAIL_HOST_PASSWORD": ""}
READ = {
    "": {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"},
    "console:": {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"},
    "file:///var/mail%20box": {
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": "/var/mail box",
    },
    "smtp://mail": SMTP | NOBODY | {"EMAIL_HOST": "mail", "EMAIL_PORT": 25},
    "smtp://[::1]:2525": SMTP | NOBODY | {"EMAIL_HOST": "::1", "EMAIL_PORT": 2525},
    "smtp+ssl://mail": SMTP | NOBODY | {"EMAIL_HOST": "mail", "EMAIL_PORT": 465, "EMAIL_USE_SSL": True},
    "smtp+tls://a%40b.de:p%2F%3Aw@mail:2587": SMTP
    | {"EMAIL_HOST": "mail", "EMAIL_PORT": 2587, "EMAIL_USE_TLS": True}
    | {"EMAIL_HOST_USER": "a@b.de", "EMAIL_HOST_PASSWORD": "p/:w"},
}


@pytest.mark.once
@pytest.mark.parametrize("url", READ)
def test_an_address_is_read(url: str):
    assert email_url.settings(url) == READ[url]


@pytest.mark.once
@pytest.mark.parametrize("url", ["mail.example.com", "http://mail", "smtp://", "smtp://mail:port", "file:", "file:///"])
def test_what_is_no_address_is_refused(url: str):
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is not shown
        email_url.settings(url)


@pytest.mark.once
@pytest.mark.parametrize(("given", "origins", "hosts", "https", "site"), [
    ("https://given/", ["https://origin"], ["host"], False, "https://given"),
    ("", ["https://origin"], ["host"], False, "https://origin"),
    ("", [], [".wild", "*", "host"], True, "https://host"),
    ("", [], [], False, "http://localhost"),
])  # fmt: skip
def test_links_begin_with_what_people_type(given, origins, hosts, https, site: str):
    assert email_url.site(given, origins, hosts, https) == site
    assert email_url.sender("", site) == f"backoffice@{site.partition('//')[2]}"
