"""E-mail addresses and web addresses."""

import socket

import pytest

from records.checks import check_partner

pytestmark = pytest.mark.once

Outcome = tuple[str | None, list[tuple[str, str, str | None]]]


def outcome(field: str, value: str) -> Outcome:
    normalised, findings = check_partner(
        {"reference": "1", "name": "A", "role": "buyer", "country": "DE", field: value}
    )
    return normalised.get(field), [
        (finding["code"], finding["severity"], finding["suggestion"])
        for finding in findings
        if finding["field"] == field
    ]


def email(value: str) -> Outcome:
    return outcome("email", value)


def website(value: str) -> Outcome:
    return outcome("website", value)


def test_no_check_asks_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert email("a@no-such-domain-at-all.example.org") == ("a@no-such-domain-at-all.example.org", [])


@pytest.mark.parametrize("address", ["INFO@lego.com", "Postmaster@lego.com", "OSUTenders@eurofound.europa.eu"])
def test_the_local_part_keeps_its_case_whoever_it_is(address: str) -> None:
    assert email(address) == (address, [])


def test_the_domain_s_case_is_corrected() -> None:
    assert email("PILASPA@PCERT.IT") == ("PILASPA@pcert.it", [("email.domain_case", "info", "PILASPA@pcert.it")])


@pytest.mark.parametrize(
    "typed",
    [
        "mailto:a.b@lego.com",
        "E-Mail: a.b@lego.com",
        "Ann B <a.b@lego.com>",
        "<a.b@lego.com>",
        "a.b@lego.com.",
        "a.b @ lego.com",
    ],
)
def test_what_surrounds_an_address_is_taken_off(typed: str) -> None:
    assert email(typed) == ("a.b@lego.com", [("email.format", "info", "a.b@lego.com")])


@pytest.mark.parametrize(
    "typed", ["a@lego.com; b@lego.com", "a@lego.com, b@lego.com", "a@lego.com b@lego.com", "a@lego.com/b@lego.com"]
)
def test_of_several_addresses_the_first_is_taken_and_none_thrown_away(typed: str) -> None:
    assert email(typed) == ("a@lego.com", [("email.several", "warning", None)])


def test_the_same_address_twice_is_one_address() -> None:
    assert email("a@lego.com;a@lego.com") == ("a@lego.com", [("email.format", "info", "a@lego.com")])


@pytest.mark.parametrize(
    "typed", ["a@lego", "@lego.com", "a@", "a b@lego.com", "a@@lego.com", "a@-lego.com", "a..b@lego.com"]
)
def test_an_unusable_address_is_an_error(typed: str) -> None:
    assert email(typed) == (None, [("email.invalid", "error", None)])


@pytest.mark.parametrize("typed", ["www.lego.com", "Ann Bee", "+49 30 227730"])
def test_a_text_without_an_at_sign_is_an_error(typed: str) -> None:
    assert email(typed) == (None, [("email.no_at", "error", None)])


def test_an_international_domain_is_accepted() -> None:
    assert email("info@München.de") == ("info@münchen.de", [("email.domain_case", "info", "info@münchen.de")])


@pytest.mark.parametrize(
    "address",
    [
        "http://www.lego.com",
        "https://www.lego.com/da-DK/Path?A=B&c=%2F#Frag",
        "http://lego.com:8080/x",
        "https://web.archive.org/web/2020/http://www.lego.com/",
        "https://www.lego.com/login?next=https://www.lego.com/home",
        "http://www.lego.com/",
    ],
)
def test_a_good_web_address_stays_as_it_is(address: str) -> None:
    assert website(address) == (address, [])


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("http://http://www.lego.com", "http://www.lego.com"),
        ("http://https://www.festo.com/cms/da_dk/index.htm", "https://www.festo.com/cms/da_dk/index.htm"),
        ("http://http//www.lego.com", "http://www.lego.com"),
        ("http:/www.lego.com/x", "http://www.lego.com/x"),
        ("http//www.lego.com", "http://www.lego.com"),
        ("https:///www.lego.com", "https://www.lego.com"),
        ("http:www.lego.com", "http://www.lego.com"),
        ("http:\\\\www.lego.com\\shop", "http://www.lego.com/shop"),
        ("HTTP://WWW.Lego.COM/Shop", "http://www.lego.com/Shop"),
        ("http://www.lego.com.", "http://www.lego.com"),
        ("http://www.lego.com;", "http://www.lego.com"),
        ("http://www.lego.com/a b", "http://www.lego.com/a%20b"),
    ],
)
def test_slips_of_typing_are_put_right(typed: str, normal: str) -> None:
    assert website(typed) == (normal, [("website.format", "info", normal)])


@pytest.mark.parametrize(
    "typed", ["www.lego.com", "lego.com", "WWW.LEGO.com", "www.lego.com.", "//www.lego.com", "web: lego.com"]
)
def test_a_missing_scheme_is_added(typed: str) -> None:
    normal, findings = website(typed)
    assert normal in ("http://www.lego.com", "http://lego.com")
    assert findings == [("website.no_scheme", "info", normal)]


def test_spaces_around_an_address_are_taken_off() -> None:
    assert website(" http://www.lego.com ")[1] == [("website.spaces", "info", "http://www.lego.com")]


@pytest.mark.parametrize(
    "typed",
    [
        "http://www.lego.com;http://www.duplo.com",
        "http://www.lego.com http://www.duplo.com",
        "www.lego.com, www.duplo.com",
        "www.lego.com;%20http://duplo.com/",
        "www.lego.com / www.duplo.com",
    ],
)
def test_of_two_addresses_the_first_is_taken_and_none_thrown_away(typed: str) -> None:
    assert website(typed) == ("http://www.lego.com", [("website.several", "warning", None)])


def test_a_host_in_letters_of_its_own_language_is_no_mistake() -> None:
    assert website("http://www.münchen.de/rathaus") == ("http://www.xn--mnchen-3ya.de/rathaus", [])
    assert website("http://правителство.бг/") == ("http://xn--80aealotwbjpid.xn--90ae/", [])


@pytest.mark.parametrize(
    "typed", ["info@lego.com", "mailto:info@lego.com", "http://info@lego.com", "www.shop@lego.com"]
)
def test_an_email_address_in_the_website_field_is_for_review(typed: str) -> None:
    assert website(typed) == (None, [("website.is_email", "warning", None)])


@pytest.mark.parametrize(
    "typed", ["javascript:alert(1)", "ftp://ftp.lego.com", "file:///etc/passwd", "data:text/html,x"]
)
def test_other_schemes_are_errors_so_that_no_page_ever_links_to_them(typed: str) -> None:
    assert website(typed) == (None, [("website.scheme", "error", None)])


@pytest.mark.parametrize(
    "typed",
    ["http://,eden.gov.uk", "http://lego", "http://-lego.com", "http://le go.com", "http://[::1", "http://a.b:99999"],
)
def test_an_impossible_host_is_an_error(typed: str) -> None:
    assert website(typed) == (None, [("website.host", "error", None)])


@pytest.mark.parametrize("typed", ["Dublin", "see above", "unavailable?"])
def test_bare_words_are_errors(typed: str) -> None:
    assert website(typed) == (None, [("website.unreadable", "error", None)])


@pytest.mark.parametrize("typed", ["n/a", "N/A", "-", "none", "xxx", "na", "geen"])
def test_placeholders_are_for_review(typed: str) -> None:
    assert website(typed) == (None, [("website.placeholder", "warning", "")])


def test_a_password_in_an_address_is_for_review_and_kept_out_of_the_normal_form() -> None:
    assert website("http://bob:secret@lego.com/x") == (None, [("website.credentials", "warning", None)])


def test_a_bare_ip_address_is_for_review() -> None:
    assert website("http://192.168.1.1/x") == ("http://192.168.1.1/x", [("website.ip_address", "warning", None)])
