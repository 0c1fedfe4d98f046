"""One word for each state, on the pages of runs, of records and of task results."""

import re

import pytest
from celery import states
from django.urls import reverse
from django.utils import timezone

from backoffice.runs.models import Run, RunItem, State, state_label
from backoffice.runs.pages import progress
from tests import factories
from tests.desk.factories import item_result, result, run

pytestmark = pytest.mark.django_db
RESULTS = reverse("admin:django_celery_results_taskresult_changelist")


@pytest.fixture
def boss(client):
    client.force_login(factories.user(is_superuser=True))
    return client


def badges(client, address: str) -> list[str]:
    html = client.get(address, follow=True).content.decode()
    return [text.strip() for text in re.findall(r'class="bo-badge bo-badge--[a-z]+">([^<]*)<', html)]


@pytest.mark.parametrize("state", State)
def test_a_state_has_one_word_on_the_pages_of_runs_and_of_task_results(boss, state):
    made = run(state=state, finished_at=timezone.now())
    row = item_result(made, factories.record(), state)
    RunItem.objects.update(finished_at=None)
    page = reverse("admin:runs_run_change", args=[made.pk])
    for address in (page, reverse("admin:runs_run_changelist"), RESULTS, f"{RESULTS}{row.pk}/change/"):
        assert set(badges(boss, address)) == {state.label}, address
    counted = progress.counts(progress.with_counts(Run.objects).get(pk=made.pk))
    assert [word for each, word, _number in counted if each == state] == [state.label]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        *((state, word) for state, word in State.choices),
        ("PROGRESS", "in progress"),
        ("RECEIVED", "received"),
        ("HALF_DONE", "half done"),
    ],
)
def test_every_state_of_celery_and_of_a_task_has_a_word(state, word):
    assert state_label(state) == word


def test_no_word_is_a_choice_twice_and_each_choice_finds_every_state_of_its_word(boss):
    made = {state: result(state).pk for state in (*states.ALL_STATES, "PROGRESS", "ODD")}
    page = boss.get(RESULTS)
    choices = dict(page.context["cl"].filter_specs[0].lookup_choices)
    assert len(choices) == len(set(choices.values())) == len(states.ALL_STATES)

    def found(state: str) -> set[int]:
        return {row.pk for row in boss.get(RESULTS, {"state": state}).context["cl"].result_list}

    assert found("STARTED") == found("PROGRESS") == {made["STARTED"], made["PROGRESS"]}
    for state in {*choices, "ODD"} - {"STARTED"}:
        assert found(state) == {made[state]}
