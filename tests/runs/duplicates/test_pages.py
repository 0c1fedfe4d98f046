"""Possible duplicates on pages: found in the list, compared side by side, settled with a reason, taken back."""

import html as entities
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.results.models import Activity
from backoffice.runs.models import Apart
from backoffice.runs.pages import timeline
from tests import factories
from tests.runs.duplicates.conftest import invoice, set_apart
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db(transaction=True)
RIGHTS = {
    "clerk": ("second.view_invoice", "second.change_invoice", "second.add_invoice"),
    "reader": ("second.view_invoice",),
    "outsider": (),
}


@pytest.fixture
def clerk(client):
    return as_(client, "clerk")


def as_(client: Any, name: str) -> Any:
    client.force_login(factories.user(*RIGHTS[name], username=name))
    return client


def of(pk: int) -> str:
    return reverse("admin:second_invoice_change", args=[pk])


def compare(one: Any, other: Any) -> str:
    return reverse("admin:second_invoice_compare", args=[one.pk, other.pk])


def text(response: Any) -> str:
    return entities.unescape(response.content.decode())


def settle(client: Any, one: Any, other: Any, **data: Any) -> Any:
    seen = client.get(compare(one, other)).context["seen"]
    sent = {"seen": seen, "reason": "Two years.", "then": "record"} | data
    return client.post(compare(one, other), sent)


def listed(client: Any, **asked: str) -> list[str]:
    found = client.get(reverse("admin:second_invoice_changelist"), asked)
    return [row.number for row in found.context["cl"].result_list]


def test_the_list_finds_them_and_leads_to_the_comparison(clerk, pair):
    alone = invoice("A-1")
    assert listed(clerk, duplicates="open") == ["2026 17", "2026/17"]
    html = text(clerk.get(reverse("admin:second_invoice_changelist")))
    assert compare(*pair) in html
    assert compare(*reversed(pair)) in html
    assert f"/{alone.pk}/compare/" not in html


def test_the_column_costs_a_page_four_statements(clerk, pair):
    url = reverse("admin:second_invoice_changelist")
    clerk.get(url)
    with CaptureQueriesContext(connection) as two:
        clerk.get(url)
    for number in range(20):
        invoice(f"B-{number // 2}")
    with CaptureQueriesContext(connection) as many:
        clerk.get(url)
    assert len(many) == len(two)
    assert sum("runs_likeness" in each["sql"] for each in many) == 2
    assert sum("runs_apart" in each["sql"] for each in many) == 1


def test_the_records_page_names_them_with_what_is_the_same(clerk, pair):
    html = text(clerk.get(of(pair[0].pk)))
    assert compare(*pair) in html
    assert "2026 17" in html
    assert "No other record is the same in what is compared." in text(clerk.get(of(invoice("A-1").pk)))


def test_two_records_side_by_side_say_what_differs(clerk, pair):
    answer = clerk.get(compare(*pair))
    lines = {line.label: line.differs for line in answer.context["lines"]}
    assert lines == {"Number": True, "Net": False}
    assert "The same: number" in text(answer)


def test_a_decision_keeps_who_why_and_when_and_stands_in_both_timelines(clerk, pair):
    answer = settle(clerk, *pair, reason=" Two years. ")
    assert answer.url == of(pair[0].pk)
    decided = Apart.objects.get()
    assert (decided.by_name, decided.reason) == ("clerk", "Two years.")
    assert not listed(clerk, duplicates="open")
    assert listed(clerk, duplicates="settled") == ["2026 17", "2026/17"]
    for one, other in (pair, pair[::-1]):
        entry = timeline.of_record(Invoice, one.pk, None).entries[0]
        assert (entry.title, entry.who) == (f"Said to be no duplicate of {other}", "clerk")
        assert entry.reason == "Two years."
        assert "Two years." in text(clerk.get(of(one.pk)))


def test_it_is_withdrawn_by_one_form_and_the_log_keeps_why(clerk, pair):
    set_apart(*pair)
    for page in (compare(*pair), of(pair[0].pk)):
        assert "Why it is withdrawn (may be left empty)" in text(clerk.get(page))
    assert "at most" in text(clerk.post(compare(*pair), {"action": "withdraw", "reason": "x" * 1_001}))
    answer = clerk.post(compare(*pair), {"action": "withdraw", "reason": "A merger."}, follow=True)
    assert "Withdrawn" in text(answer)
    assert timeline.of_record(Invoice, pair[0].pk, None).entries[0].reason == "A merger."
    assert listed(clerk, duplicates="open") == ["2026 17", "2026/17"]
    assert Activity.objects.filter(verb="record.apart_withdrawn").count() == 2
    assert "no decision about these two any more" in text(
        clerk.post(compare(*pair), {"action": "withdraw"}, follow=True)
    )


def test_the_next_pair_comes_by_itself_until_none_is_left(clerk, pair):
    others = invoice("A-1"), invoice("a1")
    assert settle(clerk, *pair, then="next").url == compare(*others)
    end = settle(clerk, *others, then="next")
    assert end.url == reverse("admin:second_invoice_changelist")
    assert "No possible duplicate is left" in text(clerk.get(end.url))


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_is_decided(clerk, pair, reason):
    assert "Say why they are not the same" in text(settle(clerk, *pair, reason=reason))
    assert not Apart.objects.exists()


def test_a_record_that_was_changed_since_the_page_was_opened_is_looked_at_again(clerk, pair):
    seen = clerk.get(compare(*pair)).context["seen"]
    pair[1].number = "2027/17"
    pair[1].save()
    answer = clerk.post(compare(*pair), {"seen": seen, "reason": "Two years."})
    assert "was changed after you opened this page" in text(answer)
    assert not Apart.objects.exists()


def test_who_may_only_look_sees_the_decision_and_no_button(client, pair):
    set_apart(*pair, reason="Two years.")
    reader = as_(client, "reader")
    html = text(reader.get(compare(*pair)))
    assert "Two years." in html
    assert "Take back" not in html
    assert "Take back" not in text(reader.get(of(pair[0].pk)))
    assert reader.post(compare(*pair), {"action": "withdraw"}).status_code == 403
    assert reader.post(compare(*pair), {"reason": "x", "seen": "x"}).status_code == 403
    assert Apart.objects.exists()


def test_others_see_nothing(client, pair):
    assert as_(client, "outsider").get(compare(*pair)).status_code == 403


def test_a_record_that_is_gone_and_itself_are_no_pages(clerk, pair):
    assert clerk.get(compare(pair[0], pair[0])).status_code == 404
    assert clerk.get(reverse("admin:second_invoice_compare", args=[pair[0].pk, 10**12])).status_code == 404


@pytest.mark.parametrize("door", ["add", "edit"])
def test_who_writes_a_record_is_told_whom_it_looks_like(clerk, pair, door):
    other = invoice("A-1")
    url = reverse("admin:second_invoice_add") if door == "add" else of(other.pk)
    html = text(clerk.post(url, {"number": "2026-17", "net": "1"}, follow=True))
    assert "may be the same as one that is there already" in html
    written = Invoice.objects.latest("pk") if door == "add" else other
    assert compare(written, pair[0]) in html


def test_an_edit_of_something_else_tells_nothing(clerk, pair):
    html = text(clerk.post(of(pair[0].pk), {"number": pair[0].number, "net": "7"}, follow=True))
    assert "may be the same as one" not in html
