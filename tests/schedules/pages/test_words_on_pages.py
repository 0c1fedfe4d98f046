"""Every page about a schedule speaks our words: none of beat's own, and no crontab that nobody could read."""

import pytest
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule

from tests.factories import user
from tests.schedules import factories, rounds

pytestmark = [pytest.mark.django_db, pytest.mark.once]

BEATS = ("m/h/dM/MY/d", "Datetime", "CELERY_", "Override", "0 2 * * *", "state of schedule", "periodic task")
ROW = "admin:django_celery_beat_periodictask"
CRONTAB = "admin:django_celery_beat_crontabschedule"


@pytest.fixture
def row():
    return factories.row(
        "Nightly", crontab=factories.crontab("0 2 * * *", "Europe/Berlin"), description="For the ledger."
    )


def beats_words(page: str) -> list[str]:
    return [words for words in BEATS if words in page]


def test_whoever_may_only_look_reads_our_words(client, row):
    client.force_login(user("django_celery_beat.view_periodictask", username="val"))
    page = client.get(reverse(f"{ROW}_change", args=[row.pk])).content.decode()
    assert beats_words(page) == []
    for text in ("At 02:00", "For the ledger.", "no bound", "<title> Nightly | View schedule"):
        assert text in " ".join(page.split())


def test_deletions_name_the_schedule_and_nothing_that_belongs_to_it(admin_client, row):
    rounds.round_of(rounds.beat())  # it has a state of its own now
    pages = [
        admin_client.get(reverse(f"{ROW}_delete", args=[row.pk])),
        admin_client.post(reverse(f"{ROW}_changelist"), {"action": "delete_selected", "_selected_action": [row.pk]}),
    ]
    for page in pages:
        assert beats_words(page.content.decode()) == []
        assert "Nightly" in page.content.decode()
        assert "schedule states" not in page.content.decode().lower()


def test_the_tables_of_timings_are_titled_in_words(admin_client, row):
    found = CrontabSchedule.objects.get()
    assert str(found) == "At 02:00, every day, Europe/Berlin"
    for page in (reverse(f"{CRONTAB}_changelist"), reverse(f"{CRONTAB}_change", args=[found.pk])):
        assert "m/h/dM/MY/d" not in admin_client.get(page).content.decode()


def test_a_crontab_that_cannot_be_read_says_so_in_its_title(db):
    assert str(factories.crontab("x 2 * * *")) == "cannot be read"


def test_history_leads_to_the_changes_on_the_schedules_own_page(admin_client, row):
    answer = admin_client.get(reverse(f"{ROW}_history", args=[row.pk]))
    assert answer.url == reverse(f"{ROW}_change", args=[row.pk]) + "#changes"
    assert 'id="changes"' in admin_client.get(answer.url).content.decode()
