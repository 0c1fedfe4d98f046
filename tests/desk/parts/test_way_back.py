"""From every page of a list one comes back to it with the filters one left it with."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.contrib import admin
from django.test import Client

from backoffice.runs.pages.back import with_filters
from tests.desk.parts.listed import Page, choices_of, each_list, one_of_each, url_of
from tests.factories import record, user

pytestmark = pytest.mark.django_db
RECORDS = "/admin/records/yourmodel/"


@each_list
def test_every_page_of_a_list_leads_back_to_the_same_filter(client: Client, boss, model_admin):
    """Walked as by hand: from the list to its rows, their histories, deletions, passwords, imports and exports."""
    one_of_each()
    url = url_of(model_admin)
    active = first_filter(client, url)
    todo, seen = [f"{url}?{urlencode(active)}"], set[str]()
    views = {link.url for link in client.get(url).context["cl"].named_links}  # other filters, by name
    while todo and len(seen) < 25:
        address = todo.pop(0)
        seen.add(urlsplit(address).path)
        answer = client.get(address, follow=True)
        if answer.status_code != 200 or "text/html" not in answer["Content-Type"]:
            continue
        page = Page(answer.text.partition('id="main"')[2])  # the sidebar begins anew
        for link in (link for link in page.links + [form.action for form in page.forms] if link.startswith(url)):
            is_named = "/delete/" in address and link.endswith("/change/")  # by Django's tree of what would go
            assert is_named or link in views or way_back(link, url) == active, (address, link)
            path = urlsplit(link).path
            if path not in seen | {urlsplit(each).path for each in todo} and not path.endswith(("/cancel/", "/retry/")):
                todo.append(link)


def first_filter(client: Client, url: str) -> dict[str, str]:
    """One that leaves rows to look at, where there is one."""
    changelist = client.get(url).context["cl"]
    choices = [choices_of(spec, changelist) for spec in changelist.filter_specs]
    some = [active for active in choices if active and client.get(url, active).context["cl"].result_list]
    return (some or choices or [{"o": "1"}])[0]


def way_back(link: str, url: str) -> dict[str, str]:
    """Which filter a page of the list knows: its own, or the one that it goes back to."""
    query = dict(parse_qsl(urlsplit(link).query))
    is_own = urlsplit(link).path in (url, f"{url}export/") and "_changelist_filters" not in query
    return query if is_own else dict(parse_qsl(query.get("_changelist_filters", "")))


@pytest.mark.parametrize("make", [record, lambda: user(username="leaver")], ids=["record", "user"])
def test_what_is_saved_or_deleted_leads_back_to_the_same_filter(client: Client, boss, make):
    row = make()
    url = url_of(admin.site._registry[type(row)])
    query = "?" + urlencode({"_changelist_filters": "q=zz&o=1"})
    for page, sent, then in (
        ("change/", {"_continue": "1"}, None),
        ("change/", {}, f"{url}?q=zz&o=1"),
        ("delete/", {"post": "yes"}, f"{url}?q=zz&o=1"),
    ):
        address = f"{url}{row.pk}/{page}{query}"
        fields = dict(Page(client.get(address).text).forms[-1].fields) if page == "change/" else {}
        answer = client.post(address, fields | sent)
        assert answer.status_code == 302, answer.context["errors"]
        assert answer["Location"] == (then or f"{url}{row.pk}/change/{query}")


def test_a_password_that_was_set_leads_back_to_the_same_filter(client: Client, boss):
    sent = {"usable_password": "true", "password1": "a long one 7", "password2": "a long one 7"}
    page = f"/admin/auth/user/{user().pk}/password/?_changelist_filters=q%3Dzz"
    assert client.post(page, sent)["Location"].endswith("/change/?_changelist_filters=q%3Dzz")


def test_an_action_on_the_page_of_a_schedule_stays_there_and_is_not_narrowed_by_the_filter_it_keeps(
    client: Client, boss
):
    row = one_of_each()["schedule"]
    url = "/admin/django_celery_beat/periodictask/"
    here = f"{url}{row.pk}/change/?_changelist_filters=enabled__exact%3D0"
    opened = Page(client.get(here).text)
    form = next(form for form in opened.forms if ("_selected_action", str(row.pk)) in form.fields)
    sent = dict(form.fields) | {"action": "disable_selected"}
    asked = Page(client.post(form.action, sent).text)
    (confirm,) = [form for form in asked.forms if ("confirmed", "1") in form.fields]
    done = client.post(confirm.action, dict(confirm.fields), follow=True)
    assert not type(row).objects.get(pk=row.pk).enabled
    assert done.redirect_chain[-1] == (here, 302)


def test_a_run_that_is_cancelled_or_retried_keeps_the_filter_of_its_list(client: Client, boss):
    run = one_of_each()["run"]
    query = "?_changelist_filters=state%3DFAILURE"
    for verb in ("cancel", "retry"):
        answer = client.post(f"/admin/runs/run/{run.pk}/{verb}/{query}")
        assert answer["Location"].endswith(f"/change/{query}")


def test_an_export_whose_filter_is_refused_goes_back_to_that_filter_and_not_to_all_records(client: Client, boss):
    answer = client.get(f"{RECORDS}export/?nonsense=1")
    assert answer["Location"] == f"{RECORDS}?nonsense=1"
    assert client.get(answer["Location"]).status_code == 400


def test_a_group_of_failures_leads_back_to_the_search_it_was_found_by(client: Client, boss):
    one_of_each()
    url = "/admin/desk/failures/"
    groups = [link for link in Page(client.get(url, {"q": "e"}).text).links if link.startswith(url) and link != url]
    assert groups
    for link in groups:
        page = Page(client.get(link).text.partition('id="main"')[2])
        assert f"{url}?q=e" in page.links
        assert url not in page.links


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("/admin/auth/user/", "/admin/auth/user/?q=a&p=2"),
        ("/admin/auth/user/?q=b", "/admin/auth/user/?q=b"),
        ("/admin/auth/user/3/change/#x", "/admin/auth/user/3/change/?_changelist_filters=q%3Da%26p%3D2#x"),
        ("/admin/auth/group/", "/admin/auth/group/"),
        ("/admin/auth/", "/admin/auth/"),
        ("//evil.example/admin/auth/user/", "//evil.example/admin/auth/user/"),
        ("?x=1", "?x=1"),
    ],
)
def test_only_addresses_of_the_same_list_are_given_its_filter(rf, url: str, right: str):
    assert with_filters(rf.get("/admin/auth/user/3/change/", {"_changelist_filters": "q=a&p=2"}), url) == right
