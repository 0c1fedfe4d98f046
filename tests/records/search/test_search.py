"""The record list's search, and the index it rests on."""

import importlib
import logging
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.management import call_command
from django.db import connection

from backoffice.runs.models import Run
from records.models import YourModel
from records.search import folding, search, search_index
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"
FILL = importlib.import_module("records.migrations.0003_fill_issue_codes")


def found(text):
    return list(search.find(YourModel.objects.order_by("reference"), text))


def run(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def indexed():
    return run("SELECT rowid, text FROM records_search ORDER BY rowid")


def written():
    """What the index should hold."""
    rows = YourModel.objects.order_by("pk").values_list("pk", *search_index.FIELDS)
    return [(pk, folding.folded("\n".join([*texts, folding.digits(texts[-1])]))) for pk, *texts in rows]


def mark(pk):
    table = "records_search" if connection.vendor == "postgresql" else "records_search_text"
    run(f"UPDATE {table} SET text = 'marked' WHERE rowid = %s", pk)


class TestWhatIsFound:
    def test_a_word_is_found_anywhere_in_a_field_upper_case_or_lower(self):
        wanted = factories.record(name="Krankenhaus St. Josef GmbH")
        factories.record()
        for text in ("krankenhaus", "KRANKEN", "haus", "josef gmbh", "GmbH Krank", "JOSEF"):
            assert found(text) == [wanted], text

    def test_letters_beyond_ascii_are_found_in_either_case(self, is_sqlite):
        wanted = factories.record(name="Stadt München")
        assert found("München") == [wanted]
        if is_sqlite:  # PostgreSQL: as the database's locale has it
            assert found("MÜNCHEN") == [wanted]

    @pytest.mark.parametrize(
        ("stored", "typed"),
        [
            ("Stadt München", "munchen"),
            ("Stadt Munchen", "MÜNCHEN"),
            ("Château d’Île", "chateau ile"),
            ("Łódź Ćma Štúr", "lodz cma stur"),
            ("Mu\u0308nchen", "münchen"),
            ("Straße Ærø", "strasse aero"),
            ("Αθήνα", "Αθηνα"),
            ("Đà Nẵng", "da nang"),
            ("București Iași", "bucuresti iasi"),
        ],
    )
    def test_accents_make_no_difference(self, stored, typed):
        wanted = factories.record(name=stored)
        factories.record()
        assert found(typed) == [wanted]
        assert found(folding.folded(stored)) == [wanted]

    @pytest.mark.parametrize("stored", ["+49 30 1234567", "030/123 45-67", "+49 (0)30 1234567", "0049 30 1234567"])
    @pytest.mark.parametrize(
        "typed", ["030 1234567", "+49 30 1234567", "(030) 12 34 567", "0049301234567", "30 12 34 5"]
    )
    def test_a_telephone_number_is_found_however_it_is_written(self, stored, typed):
        wanted = factories.record(phone=stored)
        factories.record(phone="+49 40 7654321")
        assert found(typed) == [wanted]

    @pytest.mark.parametrize(
        "typed", ["2026-11-27", "00045", "1-2-3", "BP-00045", "DE 136695976", "++", "٣٤٥٦٧", "²³⁴⁵⁶"]
    )
    def test_what_is_no_telephone_number_is_searched_as_it_is(self, typed):
        factories.record(phone="+49 40 7654321", reference="1", name="x")
        assert found(typed) == []

    def test_every_word_must_occur_and_a_phrase_in_quotes_is_one_word(self):
        wanted = factories.record(name="Alpha Beta", town="Gamma")
        factories.record(name="Beta Alpha", town="Delta")
        assert found("alpha gamma") == [wanted]
        assert found('"alpha beta"') == [wanted]
        assert len(found("alpha beta")) == 2
        assert found("alpha omega") == []

    def test_a_word_does_not_reach_from_one_field_into_the_next(self):
        factories.record(name="Alpha", town="Beta", tax_id="", email="")
        assert found('"alpha beta"') == []
        assert found("alphabeta") == []

    @pytest.mark.parametrize("text", ["50%", "a_b", "c\\d", 'e"f', "O'Neil", "x*y", "(z)", "a-b", "a:b", "NOT me"])
    def test_what_is_special_to_the_database_is_a_letter_like_any(self, text):
        wanted = factories.record(name=f"one {text} two")
        factories.record(name="one 50x aXb cXd eXf OXNeil xxxy z two a b")
        assert found(text) == [wanted]

    @pytest.mark.parametrize("text", ["B", "Q7", "q7 needle", "needle q7", "%", "_", '"', "''", "\\"])
    def test_words_too_short_for_the_index_are_found_as_well(self, text):
        wanted = factories.record(reference="1", name="Needle Q7 B %_\"\\'", town="", tax_id="", email="")
        factories.record(reference="2", name="ooo", town="", tax_id="", email="")
        assert wanted in found(text)

    def test_no_word_is_no_condition(self):
        factories.record()
        assert len(found("   ")) == 1

    def test_a_search_and_a_filter_both_hold(self, client):
        client.force_login(factories.member("Operator"))
        wanted = factories.processed(name="Both", email="nobody")
        factories.processed(name="Both")
        shown = client.get(LIST, {"q": "both", "issue": "email.no_at"}).context["cl"]
        assert [row.pk for row in shown.result_list] == [wanted.pk]

    def test_a_run_over_all_that_were_found_holds_just_these(self, client):
        client.force_login(factories.member("Operator"))
        wanted = {factories.record(name="Haystack Needle").pk for _ in range(3)}
        factories.record()
        form = {"action": "process_selected", "select_across": "1", "index": "0", ACTION_CHECKBOX_NAME: [min(wanted)]}
        client.post(f"{LIST}?q=needle", form)
        assert set(Run.objects.get().items.values_list("record_id", flat=True)) == wanted

    def test_a_sqlite_without_trigrams_finds_the_same(self, is_sqlite, monkeypatch):
        if not is_sqlite:
            pytest.skip("SQLite only")
        wanted = factories.record(name="Krankenhaus 50%")
        monkeypatch.setattr(search, "has_trigrams", lambda: False)
        assert found("KRANKEN 50%") == [wanted]
        assert found("nobody") == []


class TestTheIndex:
    def test_follows_whatever_is_written_by_whomever(self):
        first, second = factories.record(), factories.record()
        YourModel.objects.bulk_create([YourModel(reference=f"bulk-{n}", name="Bulk") for n in range(3)])
        assert indexed() == written()
        first.name = "Saved"
        first.save()
        YourModel.objects.filter(pk=second.pk).update(town="Updated")
        run("UPDATE records_yourmodel SET email = 'sql@example.org' WHERE reference = 'bulk-1'")
        assert indexed() == written()
        first.delete()
        run("DELETE FROM records_yourmodel WHERE reference LIKE 'bulk%%'")
        assert indexed() == written()
        assert len(written()) == 1

    def test_is_not_touched_when_a_record_is_processed(self):
        record = factories.record(email="nobody")
        mark(record.pk)
        record.process()
        YourModel.objects.bulk_update([record], YourModel.RESULTS)
        record.save()
        assert indexed() == [(record.pk, "marked")]
        record.name = "Edited"
        record.save()
        assert indexed() == written()

    def test_is_asked_and_not_every_record_read(self, is_sqlite):
        if not is_sqlite:
            # A handful of rows is read faster without it.
            run("SET LOCAL enable_seqscan = off")
            run("SET LOCAL enable_indexscan = off")
        plan = search.find(YourModel.objects.all(), "needle").explain()
        assert ("VIRTUAL TABLE INDEX" if is_sqlite else "records_search_trigrams") in plan

    @pytest.mark.django_db(transaction=True)
    def test_of_many_deleted_at_once_forgets_each_in_one_step(self, is_sqlite):
        """PostgreSQL kept the plan of the first deletion of a connection, made for a table without rows."""
        run("DELETE FROM records_yourmodel")
        if not is_sqlite:
            run("VACUUM ANALYZE records_search")
            run("DELETE FROM records_yourmodel")
            run("SET statement_timeout = '5s'")
        YourModel.objects.bulk_create([YourModel(reference=f"R{n}") for n in range(10_000)])
        run("DELETE FROM records_yourmodel")
        run("RESET statement_timeout" if not is_sqlite else "SELECT 1")
        assert indexed() == []

    def test_is_made_anew_when_its_triggers_are_gone(self, is_sqlite):
        factories.record()
        for name in ("added", "edited", "deleted"):
            on = "" if is_sqlite else " ON records_yourmodel"
            run(f"DROP TRIGGER records_search_{name}{on}")
        factories.record(name="Unseen")
        YourModel.objects.order_by("pk").first().delete()
        assert indexed() != written()
        call_command("migrate", verbosity=0)
        assert indexed() == written()
        assert found("unseen")
        factories.record(name="Seen again")
        assert found("seen again")

    def test_that_is_in_place_is_left_alone(self, django_assert_max_num_queries):
        record = factories.record()
        mark(record.pk)
        with django_assert_max_num_queries(8):
            search_index.keep()
        assert indexed() == [(record.pk, "marked")]


class TestOnPostgreSQL:
    @pytest.fixture(autouse=True)
    def _only(self, is_sqlite):
        if is_sqlite:
            pytest.skip("PostgreSQL only")

    def test_an_emptied_table_leaves_nothing_in_the_index(self):
        factories.record()
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run("TRUNCATE records_yourmodel")
        assert indexed() == []

    def test_whoever_may_not_have_the_extension_is_told_and_can_search(self, caplog):
        wanted = factories.record(name="Krankenhaus")
        run("DROP EXTENSION pg_trgm CASCADE")
        run("CREATE ROLE nobody_much")
        run("GRANT ALL ON ALL TABLES IN SCHEMA public TO nobody_much")
        run("SET LOCAL ROLE nobody_much")
        with caplog.at_level(logging.WARNING):
            search_index.keep()
        assert "CREATE EXTENSION pg_trgm" in caplog.text
        assert found("kranken") == [wanted]
        run("RESET ROLE")


class TestTheFilledColumn:
    def test_is_as_process_writes_it(self):
        many = factories.processed(email="nobody", country="Deutschland", phone="12", tax_id="DE1")
        none = factories.record()
        wanted = many.issue_codes
        assert len(wanted.split()) > 2
        many.issues = [*reversed(many.issues), many.issues[0]]
        many.issue_codes = ""
        many.save()
        FILL.fill(apps, SimpleNamespace(connection=connection))
        many.refresh_from_db()
        none.refresh_from_db()
        assert (many.issue_codes, none.issue_codes) == (wanted, "")
