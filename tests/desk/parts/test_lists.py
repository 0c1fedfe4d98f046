"""All lists of the admin, third-party ones too: only their own filters count, and none of them falls away."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client, RequestFactory
from unfold.views import ChangeList

from backoffice.results.activity import log
from backoffice.runs.checks.declared import admins_of_ours
from backoffice.runs.counting.again import recount
from backoffice.runs.models import Run, RunItem
from backoffice.runs.pages.lists import LOOKUPS, StaffList
from backoffice.runs.pages.staff import StaffAdmin
from records.models import YourModel
from tests.desk import factories
from tests.desk.parts.listed import LISTS, Page, choices_of, each_list, one_of_each, url_of
from tests.factories import member, record, user

pytestmark = pytest.mark.django_db
RECORDS = "/admin/records/yourmodel/"


@each_list
def test_every_list_is_one_of_ours_and_edits_no_rows_in_place(model_admin, rf, boss):
    request = rf.get("/")
    request.user = boss
    assert isinstance(model_admin, StaffAdmin)
    assert issubclass(model_admin.get_changelist(request), StaffList)
    assert not model_admin.list_editable


def test_an_admin_that_is_none_of_ours_is_named_at_start(monkeypatch: pytest.MonkeyPatch):
    assert admins_of_ours() == []
    monkeypatch.setitem(admin.site._registry, User, DjangoUserAdmin(User, admin.site))
    (warning,) = admins_of_ours()
    assert "UserAdmin is no StaffAdmin" in warning.msg


def test_an_admin_of_ours_that_stands_behind_djangos_is_named_at_start(monkeypatch: pytest.MonkeyPatch):
    class Behind(admin.ModelAdmin, StaffAdmin):
        pass

    monkeypatch.setitem(admin.site._registry, User, Behind(User, admin.site))
    (warning,) = admins_of_ours()
    assert "Behind has StaffAdmin behind ModelAdmin" in warning.msg


# --- only a list's own filters


def asked(model_admin: Any, boss: User, query: dict[str, str]) -> ChangeList:
    """The list without its page: to render one for each of a thousand addresses takes minutes."""
    request = RequestFactory().get(url_of(model_admin), query)
    request.user = boss
    return model_admin.get_changelist_instance(request)


def takes(model_admin: Any, boss: User, query: dict[str, str]) -> bool:
    try:
        asked(model_admin, boss, query)
    except DisallowedModelAdminLookup:
        return False
    return True


@each_list
def test_no_list_takes_a_lookup_that_is_none_of_its_filters(client: Client, boss, model_admin):
    lookups = ("regex", "iregex", "year", "range", "week_day", "regex__exact", "iso_year__gt")
    names = [field.name for field in model_admin.model._meta.get_fields()]
    for name in [
        *(f"{name}__{lookup}" for name in names for lookup in lookups),
        "pk__gt",
        "nonsense",
        "user__password",
    ]:
        assert not takes(model_admin, boss, {name: "1"}), name
    answer = client.get(url_of(model_admin), {f"{names[0]}__regex": "1"})
    assert answer.status_code == 400
    assert "Nothing was shown and nothing was done." in answer.text


@each_list
def test_plain_lookups_on_own_fields_are_the_record_lists_only(client: Client, boss, model_admin):
    fields = [each for each in model_admin.model._meta.concrete_fields if not each.is_relation]
    own = {name for spec in client.get(url_of(model_admin)).context["cl"].filter_specs for name in
           spec.expected_parameters()}  # fmt: skip
    for name in (f"{each.name}__startswith" for each in fields):
        assert takes(model_admin, boss, {name: "1"}) == (model_admin.takes_lookups or name in own), name


def test_no_lookup_is_a_regular_expression():
    assert not {lookup for lookup in LOOKUPS if "regex" in lookup}


def test_somebody_who_may_look_cannot_freeze_the_web(client: Client):
    client.force_login(user("records.view_yourmodel"))
    record(name="a" * 40 + "!")
    assert client.get(RECORDS, {"name__regex": r"^(\w+\s?)*$"}).status_code == 400


def test_the_hash_of_a_password_cannot_be_guessed_letter_by_letter(client: Client):
    client.force_login(user("auth.view_user"))
    assert client.get("/admin/auth/user/", {"password__startswith": "m"}).status_code == 400


def test_columns_that_cannot_be_sorted_by_are_not_sorted_by(client: Client, boss):
    order = client.get("/admin/runs/run/", {"o": "3.-1.3"}).context["cl"].queryset.query.order_by
    assert "selection" not in order
    assert len(client.get(RECORDS, {"o": ".".join(["1", "-1"] * 900)}).context["cl"].queryset.query.order_by) <= 2


# --- no filter falls away


@each_list
def test_each_link_form_and_redirect_of_a_list_carries_all_of_its_filters(client: Client, boss, model_admin):
    one_of_each()
    url = url_of(model_admin)
    changelist = client.get(url).context["cl"]
    filters = [choices_of(spec, changelist) for spec in changelist.filter_specs]
    active = {name: value for each in filters for name, value in each.items()}
    if model_admin.search_fields:
        filters.append({"q": "zz"})
        active["q"] = "zz"
    answer = client.get(url, active | {"p": "3"})
    assert answer.status_code == 200
    page = Page(answer.text)
    for form in (form for form in page.forms if form.method == "get" and form.action in ("", url)):
        sent = sorted((name, value) for name, value in form.fields if value)
        assert sent == sorted(active.items()), form.id
    for query in page.own_links():
        assert "p" not in query
        gone = lost(query, active)  # one is changed, or all are taken back
        assert gone in [set(active) - {"q"}, set(active)] or any(gone <= set(each) for each in filters), query
    for form in (form for form in page.forms if form.method == "post" and form.id == "changelist-form"):
        assert form.action == ""  # the address that the page has


def lost(query: dict[str, str], active: dict[str, str]) -> set[str]:
    return {name for name, value in active.items() if query.get(name) != value}


@each_list
def test_rows_and_the_add_button_lead_back_to_the_same_filter(client: Client, boss, model_admin):
    one_of_each()
    url = url_of(model_admin)
    changelist = client.get(url).context["cl"]
    for active in (choices_of(spec, changelist) for spec in changelist.filter_specs):
        page = Page(client.get(url, active).text)
        deeper = [urlsplit(link) for link in page.links if link.startswith(url) and urlsplit(link).path != url]
        for link in (link for link in deeper if link.path.endswith(("/change/", "/add/"))):
            back = dict(parse_qsl(dict(parse_qsl(link.query)).get("_changelist_filters", "")))
            assert back == active, link


@each_list
def test_a_page_beyond_the_end_is_the_last_of_the_same_filter(client: Client, boss, model_admin):
    one_of_each()
    url = url_of(model_admin)
    changelist = client.get(url).context["cl"]
    for active in (choices_of(spec, changelist) for spec in changelist.filter_specs):
        wanted = [row.pk for row in asked(model_admin, boss, active).result_list]
        for page in ("99", "0", "-3", "9" * 30, "nonsense"):
            assert [row.pk for row in asked(model_admin, boss, active | {"p": page}).result_list] == wanted, page
        assert client.get(url, active | {"p": "99"}).status_code == 200


def test_the_last_page_of_many_is_shown(client: Client, boss):
    for _number in range(120):
        record(country="FR")
    record(country="DE")
    found = client.get(RECORDS, {"country": "FR", "p": "99"}).context["cl"]
    assert (found.page_num, len(found.result_list), found.result_count) == (3, 20, 120)


def test_a_filter_with_nothing_to_choose_from_still_counts(client: Client, boss):
    """Django drops it when there is one task only, and shows the runs of all."""
    run = one_of_each()["run"]
    Run.objects.exclude(task=run.task).delete()
    type(run.task).objects.exclude(pk=run.task_id).delete()
    shown = client.get("/admin/runs/run/", {"task__id__exact": run.task_id + 1}).context["cl"].result_list
    assert list(shown) == []


def test_a_value_that_is_no_choice_stays_in_the_form(client: Client, boss):
    record(country="DE")
    page = Page(client.get(RECORDS, {"country": "ZZ", "verdict": "review"}).text)
    (form,) = [form for form in page.forms if form.id == "filter-form"]
    assert {("country", "ZZ"), ("verdict", "review")} <= set(form.fields)


def test_names_that_begin_alike_are_not_taken_away_together(rf, boss):
    request = rf.get("/", {"country": "DE", "country__in": "DE,FR"})
    request.user = boss
    (model_admin,) = (each for each in LISTS if each.model is YourModel)
    changelist = model_admin.get_changelist_instance(request)
    assert dict(parse_qsl(changelist.get_query_string(remove=["country"])[1:])) == {"country__in": "DE,FR"}


# --- what an action is about


@pytest.mark.parametrize("across", ["2", "true", "on"])
def test_all_rows_are_chosen_by_one_word_only(client: Client, across: str):
    client.force_login(member("Operator"))
    chosen = record()
    record()
    sent = {"action": "process_selected", "index": "0", "_selected_action": [chosen.pk], "select_across": across}
    assert client.post(RECORDS, sent).status_code == 400
    assert not Run.objects.exists()


@pytest.mark.parametrize("picked", ["abc", "9" * 30, "-", "1.5", "1\x00"])
@each_list
def test_a_selection_that_is_no_row_is_said_to_be_none(client: Client, boss, model_admin, picked: str):
    sent = {"action": "delete_selected", "index": "0", "_selected_action": [picked]}
    assert client.post(url_of(model_admin), sent).status_code in (400, 403)


def test_the_selection_in_words_names_every_value(client: Client):
    client.force_login(member("Operator"))
    record(role="buyer"), record(role="winner")
    query = urlencode([("role__exact", "buyer"), ("role__exact", "winner")])
    sent = {"action": "process_selected", "index": "0", "_selected_action": ["1"], "select_across": "1"}
    client.post(f"{RECORDS}?{query}", sent)
    assert Run.objects.get().selection == "role: buyer, winner"


# --- pages by key and not by number


@pytest.mark.parametrize("path", ["django_celery_results/taskresult", "results/activity"])
def test_before_the_oldest_row_lies_the_oldest_page(client: Client, boss, path: str):
    make = factories.result if "task" in path else lambda: log("anna", "run.started")
    model = type([make() for _row in range(60)][0])
    keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
    oldest = keys[49::-1]
    for before in ("0", "-5", str(keys[0])):
        shown = client.get(f"/admin/{path}/", {"before": before}).context["cl"]
        assert [row.pk for row in shown.result_list] == oldest
        assert not shown.paginator.older_url
        newer = client.get(f"/admin/{path}/{shown.paginator.newer_url}").context["cl"].result_list
        assert keys[-1] in [row.pk for row in newer]


def test_the_page_of_a_record_carries_the_filter_it_came_from(client: Client, boss):
    about = record()
    for _number in range(60):
        log(boss, "record.edited", about, changes={"town": ["a", "b"]})
    page = Page(client.get(f"{RECORDS}{about.pk}/change/", {"_changelist_filters": "verdict=review"}).text)
    (older,) = (query for query in map(query_of, page.links) if "before" in query)
    assert older["_changelist_filters"] == "verdict=review"
    page = Page(client.get(f"{RECORDS}{about.pk}/change/", older).text)
    assert any(link.endswith("?_changelist_filters=verdict%3Dreview#history") for link in page.links)


def query_of(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query))


def test_a_run_s_records_keep_their_filter_from_page_to_page(client: Client, boss):
    run = factories.run(failed=1, total=60)
    items = [RunItem(run=run, record_id=n, task_no=run.task_id, state="FAILURE", active=False,
                     error=f"{'Key' if n % 2 else 'Value'}Error: {n}") for n in range(1, 121)]  # fmt: skip
    RunItem.objects.bulk_create(items)
    url = f"/admin/runs/run/{run.pk}/change/"
    with transaction.atomic():
        recount(run)
    key, value = run.tallies.order_by("words").values_list("key", flat=True)
    active = {"alike": key, "kept": "1"}
    links = [query_of(link) for link in Page(client.get(url, active).text).links if urlsplit(link).fragment == "items"]
    assert active | {"after": "99"} in links
    assert {"alike": value, "kept": "1"} in links
    assert {"state": "FAILURE", "kept": "1"} in links
    assert {"kept": "1"} in links
    last = client.get(url, active | {"after": "999999"}).context["page"]
    assert [line.item.record_id for line in last.lines] == list(range(21, 121, 2))
