"""The preview says what a check would say of each row, and which look like others; nothing is written before."""

import html as entities

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.exchange.checks import admins_that_exchange
from backoffice.exchange.trial import trials_of
from backoffice.runs.models import Run
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.exchange.importing import CONFIRM, upload
from tests.exchange.made_files import csv_of, line
from tests.freight.models import Shipment

pytestmark = pytest.mark.django_db


def text(response):
    return entities.unescape(response.content.decode())


def previewed(client, *rows):
    return upload(client, csv_of(*rows))


def tried(response):
    found = response.context["preview"]
    return {row.name: row.trial for row in found.rows}


def imported(client, response, **more):
    return client.post(CONFIRM, response.context["confirm_form"].initial | more)


def test_each_row_says_its_verdict_before_and_after_and_its_issues_in_words(operator):
    factories.processed(reference="R-1", name="Company", email="a@example.com")
    response = previewed(
        operator,
        line(reference="R-1", name="Company", email="nobody"),
        line(reference="R-2", name="Another", country="Deutschland"),
    )
    old, new = (tried(response)[name] for name in ("R-1", "R-2"))
    assert (old.before.word, old.after.word) == ("valid", "invalid")
    assert (new.before, new.after.word) == (None, "correctable")
    html = text(response)
    assert "E-mail: " in html
    assert "Countries are kept as ISO codes" in html
    assert dict((badge.word, n) for badge, n in response.context["preview"].trials.counts) == {
        "invalid": 1,
        "correctable": 1,
    }


def test_a_record_that_was_edited_since_its_check_is_not_called_valid(operator):
    record = factories.processed(reference="R-1", name="Company")
    YourModel.objects.filter(pk=record.pk).update(processed=False)
    response = previewed(operator, line(reference="R-1", name="Company", town="Bonn"))
    assert tried(response)["R-1"].before.word == "not checked yet"


def test_trying_writes_nothing(operator):
    factories.processed(reference="R-1")
    with CaptureQueriesContext(connection) as asked:
        previewed(operator, line(reference="R-1", town="Bonn"), line(reference="R-2"))
    writes = [each["sql"] for each in asked if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert not [sql for sql in writes if "records_" in sql or "runs_" in sql]
    assert YourModel.objects.count() == 1


def test_a_check_that_fails_on_a_row_says_so_and_the_others_are_tried(operator, monkeypatch):
    process = YourModel.process

    def sometimes(record):
        return process(record) if record.name != "odd" else 1 / 0

    monkeypatch.setattr(YourModel, "process", sometimes)
    response = previewed(operator, line(reference="R-1", name="odd"), line(reference="R-2"))
    assert tried(response)["R-1"].error == "ZeroDivisionError: division by zero"
    assert tried(response)["R-2"].after
    assert "the check fails" in text(response)


@pytest.mark.django_db(transaction=True)
def test_a_check_that_writes_is_not_tried(operator, monkeypatch):
    monkeypatch.setattr(YourModel, "process", lambda record: YourModel.objects.update(town="Ulm") and None)
    factories.record(reference="R-0", town="Bonn")
    response = previewed(operator, line(reference="R-1"))
    assert "writes to the database" in tried(response)["R-1"].error
    assert YourModel.objects.get().town == "Bonn"


def test_for_more_rows_than_there_is_time_it_says_how_many_were_left(operator, monkeypatch):
    monkeypatch.setattr(trials_of, "__defaults__", (0.0,))
    response = previewed(operator, line(reference="R-1"), line(reference="R-2"), line(reference="R-3"))
    assert response.context["preview"].trials.left == 2
    assert "2 rows were not tried" in text(response)


@pytest.mark.django_db(transaction=True)
def test_import_and_check_starts_a_run_over_what_was_imported_alone(operator):
    factories.record(reference="R-0")
    factories.record(reference="R-1", name="Company", town="Berlin", country="DE")
    response = previewed(operator, line(reference="R-1", town="Bonn"), line(reference="R-2"))
    answer = imported(operator, response, check="1")
    run = Run.objects.get()
    assert answer.url.endswith(f"/runs/run/{run.pk}/change/")
    assert (run.total, run.selection) == (2, "imported from partners.csv")
    assert run.requester.groups.get().name == "Operator"
    assert work_off(run).succeeded == 2
    assert set(YourModel.objects.filter(processed=True).values_list("reference", flat=True)) == {"R-1", "R-2"}


@pytest.mark.django_db(transaction=True)
def test_import_alone_starts_nothing(operator):
    imported(operator, previewed(operator, line(reference="R-1")))
    assert YourModel.objects.count() == 1
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_may_not_check_imports_without(client):
    rights = ("add", "change", "view", "import")
    client.force_login(factories.user(*(f"records.{right}_yourmodel" for right in rights)))
    response = previewed(client, line(reference="R-1"))
    assert "Import and check" not in text(response)
    imported(client, response, check="1")
    assert YourModel.objects.count() == 1
    assert not Run.objects.exists()


def test_rows_that_look_like_a_record_there_is_or_like_each_other_are_marked(operator):
    there = factories.record(reference="R-1", name="Müller GmbH", country="Germany", town="Ulm", tax_id="")
    response = previewed(
        operator,
        line(reference="N-1", name="Mueller", country="DE", town="Ulm", tax_id=""),
        line(reference="N-2", name="Twin Ltd", country="DE", tax_id=""),
        line(reference="N-3", name="twin", country="Deutschland", tax_id=""),
        line(reference="N-4", name="Nobody else", country="DE", tax_id=""),
    )
    said = {row.name: " ".join(row.looks_like) for row in response.context["preview"].rows}
    assert f"/{there.pk}/change/" in said["N-1"]
    assert (said["N-2"], said["N-3"], said["N-4"]) == ("row 4 of this file", "row 3 of this file", "")
    assert "3 rows look like" in text(response)


def test_a_model_without_a_check_is_imported_as_ever(admin_client):
    assert Shipment._meta.label not in str([message.msg for message in admins_that_exchange()])
