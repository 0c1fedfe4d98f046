"""Accept and Withdraw as staff press them, on the record and at the list; the filter, the export, the evidence."""

import io
import json
import re
import zipfile

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from backoffice.desk.audit import evidence
from backoffice.runs.models import Run, RunItem
from backoffice.runs.pages import timeline
from backoffice.runs.seam import BadParameters, start
from backoffice.testing import work_off
from records import issue_codes, tasks
from records.forms import AcceptForm
from records.models import YourModel
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"
UNKNOWN = "tax_id.unrecognised"
WHY = "Seen in the register <b>"


def unknown(**fields):
    return factories.processed(**({"country": "NL", "tax_id": "12345678"} | fields))


def page(record):
    return reverse("admin:records_yourmodel_change", args=[record.pk])


def url(record, action="accept_issues"):
    return reverse("admin:records_yourmodel_run", args=[record.pk, action])


def accept(client, record, **given):
    client.post(url(record), {"confirmed": "1", "set-codes": UNKNOWN, "reason": WHY, "set-link": ""} | given)
    work_off(Run.objects.latest("pk"))
    record.refresh_from_db()
    return record


def test_beside_each_issue_is_the_way_to_accept_it_and_where_to_compare_it(operator):
    html = operator.get(page(unknown(website="https://example.com"))).content.decode()
    assert f'name="set-codes" value="{UNKNOWN}"' in html
    for address in ("https://ec.europa.eu/taxation_customs/vies/", "https://www.kvk.nl/zoeken/", "https://example.com"):
        assert f'<a class="bo-link" href="{address}" target="_blank" rel="noopener noreferrer">' in html


def test_a_country_without_a_public_page_has_no_link(operator):
    html = operator.get(page(unknown(country="BR", tax_id="77"))).content.decode()
    assert UNKNOWN in html
    assert "Compare with:" not in html


def test_it_is_accepted_by_one_form_on_the_record_and_withdrawn_by_one_click(operator):
    made = accept(operator, unknown(), **{"set-link": "https://example.com/1"})
    assert made.verdict == "valid"
    assert made.accepted[UNKNOWN]["by"] == operator.user.username
    html = operator.get(page(made)).content.decode()
    assert ">valid, 1 accepted</span>" in html
    assert "Seen in the register &lt;b&gt;" in html
    assert 'href="https://example.com/1"' in html
    operator.post(url(made, "withdraw_acceptance"), {"confirmed": "1", "set-codes": UNKNOWN})
    work_off(Run.objects.latest("pk"))
    made.refresh_from_db()
    assert (made.verdict, made.accepted) == ("review", None)


def test_without_a_reason_the_page_asks_for_one(operator):
    response = operator.post(url(unknown()), {"confirmed": "1", "set-codes": UNKNOWN, "reason": ""})
    assert response.status_code == 200
    assert "Say why: the run keeps it." in response.content.decode()
    assert not Run.objects.exists()


def test_a_selection_is_accepted_with_its_codes_and_one_reason_and_only_codes_that_occur_are_offered(operator):
    made = [unknown(), unknown(email="nobody"), factories.processed()]
    data = {"action": "accept_issues", ACTION_CHECKBOX_NAME: [each.pk for each in made], "index": "0"}
    factories.processed(phone="12")  # one that is not selected
    html = operator.post(f"{LIST}?issue={UNKNOWN}", data | {ACTION_CHECKBOX_NAME: [made[0].pk]}).content.decode()
    assert re.findall(r'name="set-codes" value="([^"]+)"[^>]*( checked)', html) == [(UNKNOWN, " checked")]
    html = operator.post(LIST, data).content.decode()
    assert re.findall(r'name="set-codes" value="([^"]+)"', html) == ["email.no_at", UNKNOWN]
    assert "checked" not in html.partition("set-codes")[2].partition("set-link")[0]
    assert html.count("Tax ID") == 1  # a heading, and not once more at each code
    operator.post(LIST, data | {"confirmed": "1", "set-codes": [UNKNOWN], "reason": WHY})
    run = work_off(Run.objects.get())
    assert (run.total, run.skipped, run.reason) == (2, 1, WHY)
    assert [each.verdict for each in YourModel.objects.order_by("pk")] == [*("valid", "invalid", "valid", "review")]


def test_a_worker_takes_a_code_that_no_record_has_any_more():
    made = unknown()
    user = factories.user(is_superuser=True)
    run = start([made.pk], tasks.accept_issues, by=user, parameters={"codes": [UNKNOWN]}, reason=WHY)
    YourModel.objects.update(issue_codes="")
    assert work_off(run).succeeded == 1
    made.refresh_from_db()
    assert made.verdict == "valid"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://example.com", "no address", "https://" + "x" * 500])
def test_evidence_is_the_address_of_a_page(link):
    user = factories.user(is_superuser=True)
    given = {"codes": [UNKNOWN], "link": link}
    with pytest.raises(BadParameters, match="Evidence: "):
        start([unknown().pk], tasks.accept_issues, by=user, parameters=given, reason=WHY)


def test_an_auditor_sees_who_accepted_and_can_do_nothing(auditor, client):
    made = unknown()
    html = auditor.get(page(made)).content.decode()
    assert "Accept…" not in html
    for action in ("accept_issues", "withdraw_acceptance"):
        assert auditor.post(url(made, action), {"confirmed": "1", "set-codes": UNKNOWN}).status_code == 403
        data = {"action": action, ACTION_CHECKBOX_NAME: [made.pk], "confirmed": "1", "reason": WHY}
        auditor.post(LIST, data)
    assert not Run.objects.exists()


def test_a_record_edited_since_is_checked_before_an_issue_of_it_is_accepted(operator):
    made = unknown()
    YourModel.objects.update(processed=False)
    assert "Accept…" not in operator.get(page(made)).content.decode()
    operator.post(url(made), {"confirmed": "1", "set-codes": UNKNOWN, "reason": WHY})
    assert not Run.objects.exists()


def test_a_program_or_a_shell_accepts_nothing_in_nobodys_name():
    made = unknown()
    run = work_off(start([made.pk], "accept_issues", parameters={"codes": [UNKNOWN]}, reason=WHY))
    assert "accepted by a person" in RunItem.objects.get(run=run).error


def test_an_accept_during_a_run_is_not_lost(operator):
    """The check has read the record, and saves its outcome after somebody accepted: it is checked once more."""
    made, real = unknown(), YourModel.process
    seen = []

    def slow(self):
        outcome = real(self)
        seen.append(outcome.label)
        if len(seen) == 1:
            accept(operator, YourModel.objects.get(pk=made.pk))
        return outcome

    with pytest.MonkeyPatch.context() as patched:
        run = start([made.pk], "process_model_instance")
        patched.setattr(YourModel, "process", slow)
        work_off(run)
    made.refresh_from_db()
    assert seen == ["review", "valid"]
    assert (made.verdict, list(made.accepted)) == ("valid", [UNKNOWN])


def test_it_stands_in_the_timeline_with_its_reason_and_in_the_evidence_of_its_run(operator):
    made = accept(operator, unknown())
    run = Run.objects.get()
    entry = timeline.of_record(YourModel, made.pk, operator.user).entries[0]
    assert (entry.title, entry.who) == (f"Run {run.pk}: Accept issues", operator.user.username)
    assert (entry.said, entry.reason) == ("valid: 1 accepted", WHY)
    pack = zipfile.ZipFile(io.BytesIO(b"".join(evidence.pack(run, factories.user(is_superuser=True)))))
    manifest = json.loads(pack.read("manifest.json"))
    assert (manifest["reason"], manifest["parameters"]["codes"]) == (WHY, UNKNOWN)
    assert operator.user.username in pack.read("changes.csv").decode()


def test_the_filter_finds_by_an_index_what_has_accepted_issues(operator, is_sqlite):
    made, other = accept(operator, unknown()), unknown()
    found = {
        choice: [row.pk for row in operator.get(LIST, {"accepted": choice}).context["cl"].result_list]
        for choice in ("some", "none")
    }
    assert found == {"some": [made.pk], "none": [other.pk]}
    if not is_sqlite:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    rows = YourModel.objects.filter(accepted__isnull=False).order_by("reference")
    assert "record_accepted" in rows.explain()


def test_the_issue_filter_finds_open_issues_alone(operator):
    accept(operator, unknown())
    left = unknown()
    assert [row.pk for row in operator.get(LIST, {"issue": UNKNOWN}).context["cl"].result_list] == [left.pk]


def test_an_export_says_what_was_accepted_by_whom_and_why(operator):
    accept(operator, unknown(), **{"set-link": "https://example.com/1"})
    form = operator.get(f"{LIST}export/").context["form"]
    columns = {each.html_name: "on" for each in form if each.html_name.endswith(("accepted", "reference"))}
    text = b"".join(operator.post(f"{LIST}export/", {"format": "0", "resource": "0"} | columns)).decode("utf-8-sig")
    assert f"{UNKNOWN}: {WHY} ({operator.user.username}, " in text
    assert "https://example.com/1)" in text


def test_the_command_asks_for_a_reason():
    unknown()
    with pytest.raises(Exception, match="say why"):
        call_command("process", "records.YourModel", "--task", "accept_issues", "--set", f"codes={UNKNOWN}")


def test_an_accept_that_failed_is_no_check_that_failed(operator):
    made = unknown()
    work_off(start([made.pk], "accept_issues", parameters={"codes": [UNKNOWN]}, reason=WHY))
    assert "last check failed" not in operator.get(page(made)).content.decode()


@pytest.mark.django_db
def test_a_code_under_its_heading_keeps_its_spelling_and_none_chosen_is_said_in_words():
    headed = dict(dict(issue_codes.headed(issue_codes.every()))["Website"])
    assert headed["website.no_scheme"].startswith("http://")
    assert AcceptForm({}).errors["codes"] == ["Choose at least one."]
