"""What is confirmed is what the preview showed: records that changed in between stay as they are, and are named."""

import threading
from contextlib import contextmanager

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from backoffice.exchange.files.uploads import UploadFolder, UploadGoneError
from backoffice.results.models import Activity
from records.models import YourModel
from tests import factories
from tests.exchange.made_files import csv_of, line
from tests.runs.deadlocks import strikes
from tests.servers import wait_until

URL = "/admin/records/yourmodel/import/"
CONFIRM = "/admin/records/yourmodel/process_import/"


def previewed(client, *rows):
    data = {"import_file": SimpleUploadedFile("partners.csv", csv_of(*rows)), "format": "0", "resource": "0"}
    return client.post(URL, data).context["confirm_form"].initial


def make(reference="R-1", **fields):
    return factories.record(reference=reference, role="buyer", **({"name": "Company", "town": "Berlin"} | fields))


def towns():
    return dict(YourModel.objects.values_list("reference", "town"))


def edit(record):
    YourModel.objects.filter(pk=record.pk).update(town="Ulm")


def delete(record):
    YourModel.objects.filter(pk=record.pk).delete()


def make_anew(record):
    delete(record)
    make(record.reference)


EDITED = "Row 2, R-1: its record was edited after the preview."
DELETED = "Row 2, R-1: its record was deleted after the preview."
MADE = "Row 2, R-1: a record with this reference was made after the preview."


@pytest.mark.django_db
class TestARowWhoseRecord:
    @pytest.mark.parametrize(("change", "said"), [(edit, EDITED), (delete, DELETED), (make_anew, EDITED)])
    @pytest.mark.parametrize("town", ["Bonn", "Berlin"])  # the preview shows a change, or none
    def test_is_another_than_the_preview_showed_is_refused_and_the_rest_goes_on(self, operator, change, said, town):
        record = make()
        form = previewed(operator, line(town=town), line(reference="R-2", town="Köln"))
        change(record)
        before = towns()
        done = operator.post(CONFIRM, form)
        expected = [] if change is make_anew and town == "Berlin" else [said]  # nothing would be written
        assert (done.context["refused"] if expected else []) == expected
        assert towns() == before | {"R-2": "Köln"}
        assert Activity.objects.get(verb="record.imported").details["refused"] == len(expected)

    def test_was_made_after_the_preview_is_refused_and_the_rest_goes_on(self, operator):
        form = previewed(operator, line(town="Bonn"), line(reference="R-2", town="Köln"))
        make()
        page = operator.post(CONFIRM, form)
        assert MADE in page.content.decode()
        assert towns() == {"R-1": "Berlin", "R-2": "Köln"}
        assert Activity.objects.filter(verb__in=("record.edited", "record.added")).count() == 1

    def test_has_by_now_what_the_file_says_is_unchanged(self, operator):
        record = make()
        form = previewed(operator, line(town="Ulm"))
        YourModel.objects.filter(pk=record.pk).update(town="Ulm", country="DE")
        assert operator.post(CONFIRM, form).status_code == 302

    def test_got_another_outcome_only_is_imported(self, operator):
        record = make()
        form = previewed(operator, line(town="Bonn"))
        record.process()
        record.save()
        operator.post(CONFIRM, form)
        assert towns() == {"R-1": "Bonn"}

    def test_is_one_of_thousands_is_named_up_to_a_hundred_and_counted_beyond(self, operator):
        form = previewed(operator, *(line(reference=f"N-{n}") for n in range(250)))
        YourModel.objects.bulk_create([YourModel(reference=f"N-{n}", name="Other") for n in range(250)])
        page = operator.post(CONFIRM, form)
        assert (len(page.context["refused"]), page.context["refused_left"]) == (100, 150)
        assert "250 rows were not imported" in page.content.decode()


@contextmanager
def another_person(what):
    """Does `what` in a transaction that stays open until the block has made somebody else wait for it."""
    with transaction.atomic():
        what()
        yield


def confirming(client, form, waits):
    """In a thread with a connection of its own; `waits` is set when its transaction is about to begin."""
    answers = []

    def tell(execute, sql, *rest):
        if sql.startswith("BEGIN"):
            waits.set()
        return execute(sql, *rest)

    def run():
        try:
            with connection.execute_wrapper(tell):
                answers.append(client.post(CONFIRM, form))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answers


def someone_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
class TestBesideAnotherPerson:
    """The other's change is made and not yet committed while the import looks at the records."""

    @pytest.mark.parametrize(("change", "said"), [(edit, EDITED), (delete, DELETED), (None, MADE)])
    def test_a_change_that_is_being_made_is_waited_for_and_never_overwritten(self, operator, is_sqlite, change, said):
        record = make() if change else None
        form = previewed(operator, line(town="Bonn"), line(reference="R-2", town="Köln"))
        waits = threading.Event()
        with another_person(lambda: change(record) if change else make(town="Ulm")):
            thread, answers = confirming(operator, form, waits)
            wait_until(waits.is_set if is_sqlite else someone_waits, what="the import waits")
        thread.join(30)
        [page] = answers
        assert page.context["refused"] == [said]
        assert towns() == ({} if change is delete else {"R-1": "Ulm"}) | {"R-2": "Köln"}

    def test_a_deadlocks_victim_is_asked_again_and_logs_each_row_once(self, operator):
        for strike in strikes():
            YourModel.objects.all().delete()
            make()
            form = previewed(operator, line(town="Bonn"), line(reference="R-2", town="Köln"))
            before = Activity.objects.count()
            with strike:
                assert operator.post(CONFIRM, form).status_code == 302
            assert towns() == {"R-1": "Bonn", "R-2": "Köln"}
            assert Activity.objects.count() - before == 3

    def test_of_two_who_confirm_at_once_one_imports_and_the_other_is_told(self, operator):
        form = previewed(operator, *(line(reference=f"N-{n}") for n in range(50)))
        found = [confirming(operator, form, threading.Event()) for _ in range(2)]
        for thread, _answers in found:
            thread.join(30)
        assert sorted(answers[0]["Location"] for _thread, answers in found) == ["/admin/records/yourmodel/", URL]
        assert Activity.objects.filter(verb="record.imported").count() == 1


def test_an_upload_is_taken_once_by_however_many(settings, tmp_path):
    settings.VAR = tmp_path
    for _ in range(30):
        upload = UploadFolder()
        upload.save(b"data")
        upload.keep_seen({"R-1": ""})
        barrier, taken = threading.Barrier(4), []

        def take(upload=upload, barrier=barrier, taken=taken):
            barrier.wait()
            try:
                taken.append(upload.take())
            except UploadGoneError:
                return

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert taken == [(b"data", {"R-1": ""})]
        assert not list(upload.folder.iterdir())
