"""Bell, list, choice and the link that ends the mails: each person's own, and nobody else's."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from backoffice.notices.mail import message, token
from backoffice.notices.models import Notice, Preference, Wish
from backoffice.results.models import Activity
from tests.desk import factories
from tests.factories import user

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LIST, UNREAD, CHOICE = "/admin/notices/", "/admin/notices/unread/", "/admin/notices/choice/"


def notice(person, **fields) -> Notice:
    run = factories.run(requester=person, succeeded=10)
    return Notice.objects.create(user=person, key=run.uid, kind=Notice.Kind.RUN_FINISHED, run=run, **fields)


def about_schedule(person, **about) -> Notice:
    told = {"schedule": 7, "name": "Nightly", "by": "beat", "reason": "No such task."} | about
    return Notice.objects.create(user=person, key="s", kind=Notice.Kind.SCHEDULE_OFF, about=told, is_failure=True)


@pytest.fixture
def anna(client: Client):
    person = user(username="anna", email="anna@example.com")
    client.force_login(person)
    return person


def test_the_bell_counts_what_is_unread_of_ones_own_and_no_more_than_a_hundred(client, anna, django_assert_num_queries):
    notice(user())
    assert client.get(UNREAD).json() == {"unread": 0, "words": "0"}
    run = factories.run(requester=anna)
    Notice.objects.bulk_create(Notice(user=anna, key=str(n), kind="run_finished", run=run) for n in range(120))
    with django_assert_num_queries(3):  # session, person, count
        assert client.get(UNREAD).json() == {"unread": 100, "words": "99+"}


def test_the_end_of_a_run_whose_page_is_open_is_no_news(client, anna):
    seen, other = notice(anna), notice(anna)
    assert f'{UNREAD}?run={seen.run_id}"' in client.get(f"/admin/runs/run/{seen.run_id}/change/").text
    assert client.get(UNREAD, {"run": seen.run_id}).json()["unread"] == 1
    assert client.get(UNREAD, {"run": "x"}).json()["unread"] == 1
    assert Notice.objects.unread().get() == other


def test_no_page_asks_for_the_count(client, anna, django_assert_num_queries):
    """The bell does, when the page is there."""
    asked = [query["sql"] for query in _queries(client, "/admin/password_change/")]
    assert not [sql for sql in asked if "notices_" in sql]
    assert 'id="bell"' in client.get("/admin/password_change/").text


def _queries(client: Client, url: str) -> list[dict[str, str]]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as found:
        client.get(url)
    return found.captured_queries


def test_the_list_leads_to_what_each_is_about_and_reads_it(client, anna):
    mine, off = notice(anna), about_schedule(anna)
    page = client.get(LIST).text
    assert "10 records, none failed." in page
    assert "Schedule “Nightly”" in page
    for each, url in ((mine, f"/admin/runs/run/{mine.run_id}/change/"), (off, "/periodictask/7/change/")):
        assert client.get(reverse("admin:notice", args=[each.pk]))["Location"].endswith(url)
    assert not Notice.objects.unread().exists()
    assert "You have read all of it." in client.get(f"{LIST}?unread=1").text


def test_mark_all_as_read_leaves_what_came_since(client, anna):
    upto, other = notice(anna).pk, notice(user())
    since = notice(anna)
    answer = client.post(LIST, {"upto": upto}, follow=True)
    assert "1 notice is read now." in answer.text
    assert set(Notice.objects.unread()) == {since, other}
    assert "No notice was unread." in client.post(LIST, {"upto": "x"}, follow=True).text


def test_one_is_marked_as_read_and_the_page_stays(client, anna):
    mine, other = notice(anna), notice(anna)
    assert client.post(f"{LIST}?unread=1", {"one": mine.pk})["Location"] == f"{LIST}?unread=1"
    assert Notice.objects.unread().get() == other


def test_the_list_is_read_page_by_page_and_asks_nothing_per_row(client, anna, django_assert_max_num_queries):
    for _number in range(60):
        notice(anna)
    with django_assert_max_num_queries(12):
        first = client.get(LIST)
    assert len(first.context["told"]) == 50
    assert len(client.get(f"{LIST}?before={first.context['older']}").context["told"]) == 10


def test_nobody_sees_or_reads_anothers(client, anna):
    theirs = notice(user())
    assert "Nothing yet." in client.get(LIST).text
    assert client.get(reverse("admin:notice", args=[theirs.pk])).status_code == 404
    client.post(LIST, {"upto": theirs.pk})
    assert Notice.objects.unread().get() == theirs


@pytest.mark.parametrize("url", [LIST, UNREAD, CHOICE, f"{LIST}1/"])
def test_who_is_not_staff_gets_to_the_sign_in(client, url: str):
    client.force_login(user(is_staff=False))
    for answer in (client.get(url), client.post(url)):
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]


def test_a_choice_is_kept_and_logged_and_no_other_is_taken(client, anna):
    assert "To anna@example.com" in client.get(CHOICE).text
    assert client.post(CHOICE, {"bell": "failure", "email": "sometimes"}).status_code == 200
    assert not Preference.objects.exists()
    client.post(CHOICE, {"bell": "failure", "email": "failure"})
    row = Preference.objects.get()
    assert (row.user, row.bell, row.email) == (anna, "failure", "failure")
    assert Activity.objects.get(verb="notices.chosen").details == {"bell": "failure"}


@pytest.mark.parametrize(("fields", "words"), [
    ({"email": ""}, "Your account has no e-mail address"), ({}, "This installation sends no e-mail yet"),
])  # fmt: skip
def test_the_choice_says_why_no_mail_comes(client, anna, settings, fields, words: str):
    if not fields:
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    type(anna).objects.update(**fields or {"is_staff": True})
    assert words in client.get(CHOICE).text


def test_a_mail_says_what_became_of_it_and_how_to_end_such_mails(anna, settings):
    settings.BACKOFFICE_URL = "https://backoffice.example"
    mine = notice(anna)
    message(mine).send()
    (sent,) = mail.outbox
    link = f"https://backoffice.example/notices/unsubscribe/{token(anna)}/"
    assert sent.to == ["anna@example.com"]
    assert sent.subject.endswith("10 records, none failed.")
    assert f"https://backoffice.example/admin/notices/{mine.pk}/" in sent.body
    assert sent.extra_headers["List-Unsubscribe"] == f"<{link}>"
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in sent.body


def test_a_name_with_line_breaks_makes_one_subject(anna):
    message(about_schedule(anna, name="a\r\nBcc: all@example.com", reason="x\ny")).send()
    assert "\n" not in mail.outbox[0].subject
    assert not mail.outbox[0].bcc


def test_one_click_ends_the_mails_without_a_session_and_a_look_does_not(anna):
    strict, link = Client(enforce_csrf_checks=True), f"/notices/unsubscribe/{token(anna)}/"
    assert "End these mails?" in strict.get(link).text
    assert not Preference.objects.exists()
    for _click in range(2):
        answer = strict.post(link, {"List-Unsubscribe": "One-Click"})
        assert "You get no more of these mails" in answer.text
    assert Preference.of(anna).email == Wish.NEVER
    assert Preference.of(anna).bell == Wish.OWN
    assert Activity.objects.filter(verb="notices.unsubscribed", actor="anna").count() == 1
    assert "You get no more of these mails" in strict.get(link).text


@pytest.mark.parametrize("bent", ["x", "1:2:3", lambda good: good[:-1] + ("a" if good[-1] != "a" else "b")])
def test_a_link_that_was_not_signed_here_ends_nothing(anna, bent):
    link = f"/notices/unsubscribe/{bent(token(anna)) if callable(bent) else bent}/"
    assert [Client().get(link).status_code, Client().post(link).status_code] == [404, 404]
    assert not Preference.objects.exists()
