"""Whoever tells is killed between two steps: the bell rings exactly once, the mail comes at least once, the same."""

import signal
import socket
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail

from backoffice.desk.health import thorough
from backoffice.notices import mail as mailing
from backoffice.notices.models import Notice, Wish
from backoffice.runs.engine import events
from backoffice.runs.models import Event
from tests.notices.test_who_is_told import anna, ended, tell
from tests.workers import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)

OF_THE_RUN = ("before the notice is written", "with the notice not committed", "after the notice")
OF_THE_MAIL = ("before the mail", "after the mail")


def told_by_one_that_dies(place: str, event: int, folder: Path) -> None:
    command = [sys.executable, "-m", "tests.notices.dying", place, str(event)]
    died = subprocess.run(command, cwd=ROOT, env=environment(EMAIL_URL=f"file://{folder}"), timeout=60)
    assert died.returncode == -signal.SIGKILL


@pytest.mark.spared
@pytest.mark.parametrize("place", [*OF_THE_RUN, *OF_THE_MAIL])
def test_the_bell_rings_once_and_the_mail_comes_with_one_message_id(place: str, tmp_path: Path):
    ended(1, requester=anna())
    if place in OF_THE_MAIL:
        events.tell(Event.objects.get().pk)
    told_by_one_that_dies(place, Event.objects.get().pk, tmp_path)
    tell()
    assert Notice.objects.count() == 1
    sent = [message_from_bytes(file.read_bytes()) for file in tmp_path.iterdir()] + [m.message() for m in mail.outbox]
    assert len(sent) == (2 if place == "after the mail" else 1)
    assert {message["Message-ID"] for message in sent} == {f"<{Notice.objects.get().uid}@localhost>"}


def test_a_server_that_says_nothing_keeps_one_mail_waiting_and_not_those_behind_it(settings, monkeypatch):
    monkeypatch.setattr(mailing, "_silent_until", 0.0)
    person = anna(email=Wish.ALWAYS)
    for _number in range(2):
        ended(requester=person)
        events.tell(Event.objects.get(kind=Event.Kind.RUN_FINISHED).pk)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = *silent.getsockname(), 0.2
        for event in Event.objects.all():
            with pytest.raises((TimeoutError, SMTPServerDisconnected)):
                events.tell(event.pk)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert Event.objects.count() == 2


def test_doctor_names_the_mail_that_the_server_does_not_take(settings):
    ended(1, requester=anna(email=Wish.ALWAYS))
    events.tell(Event.objects.get().pk)
    assert thorough.unsent().ok
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    for _try in range(thorough.UNSENT):
        with pytest.raises(ConnectionRefusedError):
            events.tell(Event.objects.get().pk)
    check = thorough.unsent()
    assert not check.ok
    assert "1 notice could not be sent; to anna@example.com: backoffice.notices.mail.send: Conn" in check.summary
    assert thorough.untold().ok
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "People are told by the bell" in thorough.unsent().summary
