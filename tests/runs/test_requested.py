"""A function that asks for it is told who wanted the run, why and when."""

import datetime

import pytest
from django import forms
from django.core.checks import run_checks
from django.utils import timezone

from backoffice.runs.seam import Outcome, Requested, retry, start
from backoffice.testing import work_off
from tests import factories
from tests.probe import tasks
from tests.probe.models import Probe
from tests.runs.factories import probes

pytestmark = pytest.mark.django_db(transaction=True)
told: list[Requested] = []


def remembering(instance: Probe, *, requested: Requested) -> Outcome:
    told.append(requested)
    if len(told) == 1:
        raise ValueError("The first time it fails.")
    return Outcome("done")


@pytest.fixture
def poke(monkeypatch):
    told.clear()
    monkeypatch.setattr(tasks.poke, "body", remembering)
    tasks.poke.__dict__.pop("is_told_who_asked", None)
    yield tasks.poke
    tasks.poke.__dict__.pop("is_told_who_asked", None)


def test_a_run_tells_its_requester_its_reason_and_when_it_was_asked_for_and_so_does_its_retry(poke):
    probes(1)
    anna, bert = factories.user(username="anna"), factories.user(username="bert", is_superuser=True)
    anna.is_superuser = True
    run = work_off(start(Probe.objects.all(), poke, by=anna, reason="Contract of May"))
    again = work_off(retry(run, by=bert))
    assert told == [
        Requested("anna", "Contract of May", run.created_at),
        Requested("bert", "Contract of May", again.created_at),
    ]


def test_a_plain_call_has_nobody_who_asked(poke):
    probe, told[:] = probes(1)[0], [Requested("", "", timezone.now())]
    poke(probe.pk)
    assert told[-1][:2] == ("", "")
    assert timezone.now() - told[-1].at < datetime.timedelta(minutes=1)


class WithRequested(forms.Form):
    requested = forms.CharField()


def test_a_field_of_the_form_by_that_name_comes_first(poke, monkeypatch):
    monkeypatch.setattr(poke, "parameters", WithRequested)
    told.append(Requested("", "", timezone.now()))
    probes(1)
    work_off(start(Probe.objects.all(), poke, parameters={"requested": "by a form"}))
    assert told[-1] == "by a form"


class Word(forms.Form):
    word = forms.CharField()


def test_a_function_with_both_its_parameters_and_the_keyword_is_declared_well(poke, monkeypatch):
    monkeypatch.setattr(poke, "parameters", Word)
    monkeypatch.setattr(poke, "body", lambda instance, *, word, requested: Outcome(word))
    assert "runs.E020" not in {message.id for message in run_checks(tags=["runs"])}
