"""Who is told what: of a run whoever asked for it, of a schedule its owner; once, as they want it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from backoffice.notices.models import Notice, Preference, Wish
from backoffice.notices.wording import Told
from backoffice.runs import operations
from backoffice.runs.engine import events
from backoffice.runs.models import Event
from backoffice.runs.sweep import sweep
from backoffice.schedules import enabling
from backoffice.testing import work_off
from tests.desk import factories
from tests.factories import user
from tests.runs.factories import poke_all, probes
from tests.schedules.factories import option, row

pytestmark = pytest.mark.django_db(transaction=True)


def tell() -> None:
    """As workers of the queue `tasks` do, until nothing is left to be told."""
    while event := Event.objects.order_by("pk").first():
        events.tell(event.pk)


def anna(**wishes: str):
    person = user("probe.change_probe", username="anna", email="anna@example.com")
    if wishes:
        Preference.objects.create(user=person, **wishes)
    return person


def ended(failed: int = 0, **fields):
    run = factories.run(total=3, succeeded=3 - failed, failed=failed, finished_at=timezone.now(), **fields)
    events.write(Event.Kind.RUN_FINISHED, run)
    return run


def scheduled_by(owner, **fields):
    schedule = row()
    option(schedule, owner_id=owner.pk, owner_name="anna")
    return ended(requester=None, source="schedule", schedule=schedule, **fields)


def cancelled(by: str, **fields):
    return ended(cancelled_at=timezone.now(), cancelled_by=by, state="REVOKED", **fields)


WANTED = {  # by whether it failed, and whether the person started it
    (True, True): {Wish.ALWAYS, Wish.OWN, Wish.FAILURE},
    (True, False): {Wish.ALWAYS, Wish.OWN, Wish.FAILURE},
    (False, True): {Wish.ALWAYS, Wish.OWN},
    (False, False): {Wish.ALWAYS},
}
HAPPENED = {
    "a run of hers": (lambda anna: ended(requester=anna), False),
    "one with failures": (lambda anna: ended(1, requester=anna), True),
    "one that somebody cancelled": (lambda anna: cancelled("boss", requester=anna), True),
    "one that the system cancelled": (lambda anna: cancelled("system", requester=anna), True),
    "one that she cancelled": (lambda anna: cancelled("anna", requester=anna), None),
    "somebody else's": (lambda anna: ended(requester=user()), None),
    "one of a program's": (lambda anna: ended(requester=None, requester_name="nightly.py"), None),
    "one of her schedule she may not see": (lambda anna: scheduled_by(anna), None),
}


@pytest.mark.parametrize("happened", HAPPENED)
def test_whoever_asked_is_told_of_its_end_and_of_failures_by_mail_too(happened):
    happens, is_failure = HAPPENED[happened]
    person = anna()
    happens(person)
    tell()
    assert [each.is_failure for each in Notice.objects.of(person)] == ([] if is_failure is None else [is_failure])
    assert [each.to for each in mail.outbox] == ([["anna@example.com"]] if is_failure else [])


def test_the_owner_of_a_schedule_is_told_of_its_runs_and_of_its_end():
    owner = user("django_celery_beat.view_periodictask", email="sam@example.com")
    scheduled_by(owner, failed=1)
    schedule = row("Nightly")
    option(schedule, owner_id=owner.pk, owner_name="sam")
    enabling.disable(schedule.pk, enabling.BEAT, "No such task.")
    tell()
    off, run = (Told(each) for each in Notice.objects.of(owner).order_by("-pk"))
    assert (off.title, off.detail) == ("Schedule “Nightly”", "No such task.")
    assert run.detail == "1 of 3 records failed."
    assert [each.subject for each in mail.outbox][1] == "Schedule “Nightly” – No such task."


def test_who_turns_off_their_own_schedule_is_not_told():
    owner, schedule = user(), row()
    option(schedule, owner_id=owner.pk, owner_name="sam")
    enabling.disable(schedule.pk, owner)
    assert not Event.objects.exists()
    enabling.enable(schedule, owner)
    enabling.disable(schedule.pk, user(username="boss"))
    tell()
    assert Told(Notice.objects.get()).detail == "boss turned it off."


@pytest.mark.parametrize("failed", [0, 1])
@pytest.mark.parametrize("wish", Wish)
@pytest.mark.parametrize("way", ["bell", "email"])
def test_each_way_says_what_its_person_wants(way: str, wish: Wish, failed: int):
    person = anna(**{"bell": Wish.NEVER, "email": Wish.NEVER, way: wish})
    ended(failed, requester=person)
    tell()
    said = {"bell": Notice.objects.of(person).unread().exists(), "email": bool(mail.outbox)}
    assert said == {"bell": False, "email": False, way: wish in WANTED[bool(failed), True]}


@pytest.mark.parametrize("failed", [0, 1])
@pytest.mark.parametrize("wish", Wish)
def test_the_owner_of_a_schedule_is_told_of_each_run_only_if_they_say_so(wish: Wish, failed: int):
    owner = user("django_celery_beat.view_periodictask", email="sam@example.com")
    Preference.objects.create(user=owner, bell=wish, email=Wish.NEVER)
    scheduled_by(owner, failed=failed)
    tell()
    assert Notice.objects.exists() == (wish in WANTED[bool(failed), False])


@pytest.mark.parametrize("left", [{"is_active": False}, {"is_staff": False}, {"email": ""}])
def test_nothing_is_sent_to_who_has_left_or_ended_it_since(left):
    person = anna(email=Wish.ALWAYS)
    ended(requester=person)
    events.tell(Event.objects.get().pk)
    type(person).objects.filter(pk=person.pk).update(**left)
    tell()
    assert not mail.outbox


def test_a_run_is_told_once_after_the_retries_of_its_records():
    person = anna(email=Wish.ALWAYS)
    probes(2, behaviour="transient")
    run = work_off(poke_all(requester=person))
    assert run.is_finished
    tell()
    sweep()
    assert Notice.objects.get().run_id == run.pk
    assert len(mail.outbox) == 1


def test_a_click_on_one_record_that_went_well_is_listed_and_rings_for_nobody():
    person = anna(email=Wish.ALWAYS)
    probes(1)
    work_off(poke_all(requester=person))
    tell()
    assert Notice.objects.get().read_at
    assert not mail.outbox
    planned = work_off(poke_all(requester=person))
    type(planned).objects.filter(pk=planned.pk).update(due_at=timezone.now())
    tell()
    assert Notice.objects.unread().get().run_id == planned.pk


def test_without_a_mail_server_only_the_bell_rings(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    ended(1, requester=anna())
    tell()
    assert Notice.objects.unread().count() == 1


def test_the_sweep_sends_nothing_itself():
    ended(1, requester=anna())
    Event.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    sweep()
    assert not mail.outbox
    assert not Notice.objects.exists()


def test_a_cancelled_planned_run_of_nobody_harms_nothing():
    probes(1)
    run = poke_all()
    operations.cancel(run, "anna")
    sweep()
    tell()
    assert not Notice.objects.exists()
