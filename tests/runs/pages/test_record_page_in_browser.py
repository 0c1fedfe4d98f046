"""A second model's page in a real Chromium: accessible, and whole, on a desk and on a phone, by day and by night."""

import pytest
from django.contrib.auth.models import User

from backoffice.runs.models import Run
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests import factories
from tests.browser import page as browsing
from tests.browser.looks import LOOKS
from tests.second.models import Invoice

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture
def boss(transactional_db) -> User:
    return factories.user(is_superuser=True, username="boss", password="a long one")


def run_over(invoice: Invoice) -> None:
    work_off(start(Invoice.objects.filter(pk=invoice.pk), "tax_invoice", by="anna"))


@pytest.fixture
def invoices(boss, monkeypatch) -> dict[str, Invoice]:
    """One of each kind that its page tells apart."""
    names = ("new", "taxed", "failed", "in work")
    made = {name: Invoice.objects.create(number=f"I {name}", net=100) for name in names}
    for _ in range(3):
        run_over(made["taxed"])
    with monkeypatch.context() as broken:
        broken.setattr(Invoice, "process", lambda self: {}["a-very-long-name-without-any-space-" * 8])
        run_over(made["failed"])
    start(Invoice.objects.filter(pk=made["in work"].pk), "tax_invoice", by="anna")
    return made


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_its_page_is_accessible_and_holds(live_server, browser, invoices, width: int, dark: bool):
    list_ = "/admin/second/invoice/"
    with browsing.watched_page(browser, live_server.url, width, dark) as watched:
        page = watched.sign_in("boss", "a long one")
        found: list[str] = []
        for path in (list_, f"{list_}add/", *(f"{list_}{invoice.pk}/change/" for invoice in invoices.values())):
            watched.open(path).wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            found += [f"{path} {problem}" for problem in browsing.accessibility_problems(page)]
        assert found == []
        assert watched.problems == []


def test_an_edit_asks_for_processing_again_and_the_button_starts_it(live_server, browser, invoices):
    taxed = invoices["taxed"]
    with browsing.watched_page(browser, live_server.url) as watched:
        page = watched.sign_in("boss", "a long one")
        watched.open(f"/admin/second/invoice/{taxed.pk}/change/")
        head = page.get_by_label("State of this record")
        assert "taxed" in head.inner_text()
        assert "not processed" not in head.inner_text()
        page.fill("#id_net", "50")
        page.click("[name=_continue]")
        page.wait_for_selector("text=The inputs have changed since: process the record again.")
        head.get_by_role("button", name="Tax invoice").click()
        page.wait_for_url(f"**/{taxed.pk}/change/#outcome")
        assert list(Run.objects.latest("pk").items.values_list("record_id", flat=True)) == [taxed.pk]
        assert watched.problems == []
