"""A run's page agrees with itself: bar, facts and table are of one moment, and move together."""

import re

import pytest

from backoffice.runs.engine import chunks
from backoffice.runs.models import Chunk, Run
from backoffice.runs.pages import admin as run_admin
from backoffice.runs.pages import items
from backoffice.runs.registry import find
from backoffice.testing import work_off
from tests.factories import user
from tests.runs.clicks import page
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db


def told(html: str) -> tuple[int, int]:
    """Records done as the bar says it, and as the table shows them."""
    parts = re.findall(r'data-part="[^"]*">(\d+)', html)
    return sum(map(int, parts)), html.count("bo-badge--success")


def one_slice(run: Run) -> None:
    chunk = Chunk.objects.unclaimed().filter(run=run).order_by("pk").first()
    chunks.work(find(run.task.name), chunk.pk)


@pytest.fixture
def run():
    probes(20)
    return poke_all()


@pytest.mark.parametrize("name", ["change", "live"])
def test_what_a_worker_writes_while_the_page_is_read_is_read_again(admin_client, run, monkeypatch, name):
    read, rounds = items.page, []

    def beside_a_worker(*args, **options):
        found = read(*args, **options)
        rounds.append(run.pk)
        if len(rounds) == 1:
            work_off(run)
        return found

    monkeypatch.setattr(items, "page", beside_a_worker)
    done, shown = told(admin_client.get(page(run, name)).text)
    assert (done, shown) == (20, 21)  # the run's own badge is one more
    assert len(rounds) == 2


def test_where_it_never_stands_still_the_page_comes_all_the_same(admin_client, run, monkeypatch):
    monkeypatch.setattr(run_admin.progress, "moment", lambda run: object())
    assert admin_client.get(page(run)).status_code == 200


def test_the_live_part_is_the_page_s_own(admin_client, run):
    one_slice(run)
    whole, live = (admin_client.get(page(run, name) + "?state=SUCCESS").text for name in ("change", "live"))
    plain = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|\s+')
    part = whole[whole.index('<div class="bo-stack" id="run-live"') :]
    assert plain.sub("", live.strip()) in plain.sub("", part)
    assert "/live/" not in live
    assert "<html" not in live


def test_the_live_part_is_for_those_who_may_see_the_run(client, run):
    assert client.get(page(run, "live")).status_code == 302
    client.force_login(user())
    assert client.get(page(run, "live")).status_code == 404


def test_a_run_that_ended_is_read_once(admin_client, run, django_assert_max_num_queries):
    open_ = page(run, "live")
    admin_client.get(open_)
    with django_assert_max_num_queries(14) as first:
        admin_client.get(open_)
    work_off(run)
    with django_assert_max_num_queries(len(first)):
        admin_client.get(open_)
