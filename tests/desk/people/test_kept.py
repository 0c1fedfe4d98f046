"""A form that is sent after its session has ended is kept through the sign-in, for the person who sent it alone."""

import re
from typing import Any

import pytest
from django.test import Client

from records.models import YourModel
from tests.factories import record, user

pytestmark = pytest.mark.django_db
SIGN_IN, HELD = "/admin/login/", "/admin/desk/kept/"
BROWSER: Any = {"HTTP_ACCEPT": "text/html,*/*"}


@pytest.fixture
def browser() -> Client:
    """Somebody has signed in with it, and his session has ended."""
    for name in ("anna", "bert"):
        user(username=name, password=name, is_superuser=True)
    client = Client(**BROWSER)
    sign_in(client, "anna")
    del client.cookies["sessionid"]
    return client


def sign_in(client: Client, name: str, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": name, "password": name, **more})


def held_in(page: Any) -> str:
    return re.search(r'name="kept" value="([^"]+)"', page.text)[1]


def send(browser: Client, made: YourModel, **more: Any) -> Any:
    fields = {name: getattr(made, name) for name in YourModel.INPUTS}
    return browser.post(f"/admin/records/yourmodel/{made.pk}/change/?x=1", {**fields, "town": "Bonn", **more})


def test_it_is_offered_after_the_sign_in_and_done_when_it_is_sent_again(browser: Client):
    made = record(town="Berlin")
    page = send(browser, made, address="two\nlines")
    wrong = browser.post(SIGN_IN, {"username": "anna", "password": "x", "kept": held_in(page)})
    assert sign_in(browser, "anna", kept=held_in(wrong)).url == HELD
    made.refresh_from_db()
    assert made.town == "Berlin"
    offered = browser.get(HELD)
    assert "Bonn" in offered.text
    assert browser.session["kept"]["path"].endswith("?x=1")
    browser.post(offered.context["held"]["path"], dict(offered.context["held"]["pairs"]))
    made.refresh_from_db()
    assert (made.town, made.address.split()) == ("Bonn", ["two", "lines"])
    assert browser.get(HELD).url == "/admin/"


def test_it_is_left_where_the_person_says_so(browser: Client):
    sign_in(browser, "anna", kept=held_in(send(browser, made := record())))
    assert browser.post(HELD).url == f"/admin/records/yourmodel/{made.pk}/change/?x=1"
    assert browser.get(HELD).url == "/admin/"


@pytest.mark.parametrize("spoilt", [False, True])
def test_nobody_else_is_shown_it(browser: Client, spoilt: bool):
    held = held_in(send(browser, record()))
    answer = sign_in(browser, "anna" if spoilt else "bert", kept=f"{held}x" if spoilt else held)
    assert answer.url != HELD
    assert "kept" not in browser.session
    assert "was not yours, or is too old" in browser.get("/admin/").text


def test_what_is_no_person_s_form_or_must_not_be_kept_is_not(browser: Client, tmp_path):
    made, stranger = record(), Client(**BROWSER)
    (tmp_path / "file").write_text("x")
    with (tmp_path / "file").open() as file:
        answers = [
            send(stranger, made),
            send(browser, made, old_password="secret"),
            send(browser, made, name="x" * 100_000 + str(list(range(30_000)))),
            send(browser, made, file=file),
            browser.post(f"/admin/records/yourmodel/{made.pk}/change/", {}, HTTP_X_REQUESTED_WITH="fetch"),
        ]
    assert {(answer.status_code, answer.url.partition("?")[0]) for answer in answers} == {(302, SIGN_IN)}
    assert "What you sent was not kept" in browser.get(SIGN_IN).text
