"""A field's value comes back from its text as it was, whatever field and database it is from."""

import datetime
import json
import uuid
from decimal import Decimal

import pytest
from django.db import connection, models, transaction
from django.db.models.fields.proxy import OrderWrt
from django.test.utils import isolate_apps
from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.runs.change import keep, values
from tests.probe.odd import Reading
from tests.properties import tries

pytestmark = pytest.mark.django_db(transaction=True)


class Wide(models.DecimalField):
    """More digits than SQLite keeps."""


# What both databases take: PostgreSQL stores no NUL, neither stores surrogates.
letters = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
whole = st.integers(-(2**31), 2**31 - 1)
wide = st.integers(-(2**63), 2**63 - 1)
natural = st.integers(0, 2**31 - 1)
number = st.floats(allow_nan=False, allow_infinity=False)
days = st.dates()
moments = st.datetimes(datetime.datetime(1, 1, 3), datetime.datetime(9999, 12, 29), timezones=st.timezones())  # noqa: DTZ001
in_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | number | letters,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(letters, inner, max_size=4),
    max_leaves=8,
)

KINDS: dict[type, tuple[dict, st.SearchStrategy]] = {
    models.BigIntegerField: ({}, wide),
    models.BinaryField: ({}, st.binary(max_size=40)),
    models.BooleanField: ({}, st.booleans()),
    models.CharField: ({"max_length": 30}, letters),
    models.DateField: ({}, days),
    models.DateTimeField: ({}, moments),
    models.DecimalField: (
        {"max_digits": 12, "decimal_places": 3},
        st.decimals(Decimal(-99_999_999), 99_999_999, allow_nan=False, places=5),
    ),
    models.DurationField: ({}, st.timedeltas(datetime.timedelta(days=-99_999), datetime.timedelta(days=99_999))),
    models.EmailField: ({}, letters),
    models.FileField: ({}, letters),
    models.FilePathField: ({}, letters),
    models.FloatField: ({}, number),
    models.GenericIPAddressField: ({}, st.ip_addresses().map(str)),
    models.ImageField: ({}, letters),
    models.IntegerField: ({}, whole),
    models.JSONField: ({}, in_json.filter(lambda value: value is not None)),
    models.PositiveBigIntegerField: ({}, st.integers(0, 2**63 - 1)),
    models.PositiveIntegerField: ({}, natural),
    models.PositiveSmallIntegerField: ({}, st.integers(0, 32_767)),
    models.SlugField: ({}, letters),
    models.SmallIntegerField: ({}, st.integers(-32_768, 32_767)),
    models.TextField: ({}, letters),
    models.TimeField: ({}, st.times()),
    models.URLField: ({}, letters),
    models.UUIDField: ({}, st.uuids()),
    Reading: ({"max_length": 40}, number),
    Wide: ({"max_digits": 24, "decimal_places": 4}, st.decimals(-(10**19), 10**19, allow_nan=False, places=6)),
}
NOT_OF_A_VALUE = {
    models.Field, models.ForeignKey, models.OneToOneField, models.ManyToManyField, models.ForeignObject,
    models.AutoField, models.BigAutoField, models.SmallAutoField, models.GeneratedField, models.CompositePrimaryKey,
    OrderWrt,
}  # fmt: skip


def test_every_field_that_django_has_is_tried():
    named = [kind for kind in vars(models).values() if isinstance(kind, type) and issubclass(kind, models.Field)]
    there_are = {kind for kind in named if not kind.system_check_removed_details}
    assert there_are - NOT_OF_A_VALUE == set(KINDS) - {Reading, Wide}


@pytest.fixture(scope="module")
def holder(django_db_setup, django_db_blocker):
    """A table with a column of each kind, of another name than its field."""
    own = {"a_" + kind.__name__.lower(): (kind, more) for kind, (more, _values) in KINDS.items()}
    with isolate_apps("tests.probe"):
        fields = {name: kind(null=True, db_column=f"the {name}", **more) for name, (kind, more) in own.items()}
        meta = type("Meta", (), {"app_label": "probe", "required_db_vendor": connection.vendor})
        holder = type("Holder", (models.Model,), {"__module__": "tests.probe.models", "Meta": meta, **fields})
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            editor.create_model(holder)
        yield holder
        with connection.schema_editor() as editor:
            editor.delete_model(holder)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_stored_comes_back_from_its_text(holder, kind):
    field = holder._meta.get_field("a_" + kind.__name__.lower())
    rows = holder.objects.values_list(field.attname, flat=True)

    @settings(max_examples=tries(60), deadline=None)
    @given(st.none() | KINDS[kind][1])
    def round_trip(value):
        with transaction.atomic():
            made = holder.objects.create(**{field.attname: value})
            (stored,) = rows.filter(pk=made.pk)
            (text,) = values.texts(field, [stored])
            back = values.read(field, json.loads(text))
            assert type(back) is type(stored) or isinstance(stored, memoryview)
            assert back == (bytes(stored) if isinstance(stored, memoryview) else stored)
            if isinstance(back, Decimal):
                assert str(back) == str(stored)
            holder.objects.filter(pk=made.pk).update(**{field.attname: back})
            (again,) = rows.filter(pk=made.pk)
            assert not list(keep.differing(field, [stored], [again]))
            if (told := values.stored(field, [value])) is not None:  # the database is not asked
                assert values.texts(field, told) == [text] or isinstance(value, list | dict | float)
                assert not list(keep.differing(field, [stored], told))
            assert isinstance(values.words(json.loads(text)), str)
            made.delete()

    round_trip()


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (True, 1, False),
        ({"a": 1}, {"a": True}, False),
        ([0], [False], False),
        ({"a": 1e16}, {"a": 10**16}, True),
        (1e300, 10**300, True),
        (10**400, 1.5, False),
        ({"a": [1, 2]}, {"a": (1, 2)}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ([1], [1, 2], False),
        ("1", 1.0, False),
        (None, 0, False),
    ],
)
def test_of_json_numbers_are_compared_and_truths_are_none(one, other, is_same):
    assert values.same(one, other) is is_same
    assert values.same(other, one) is is_same
    assert bool(list(keep.differing(models.JSONField(), [one], [other]))) is not is_same


def test_json_with_keys_that_are_no_texts_is_kept_as_it_is_stored():
    (text,) = values.texts(models.JSONField(), [{1: "a", "b": None}])
    assert json.loads(text) == {"json": {"1": "a", "b": None}}


@pytest.mark.parametrize("value", ["\x00", "\udce4", "ü 🜁 \\ \" '", " ", ""])
def test_any_text_is_kept(value):
    (text,) = values.texts(models.TextField(), [value])
    assert text.isascii()
    assert values.read(models.TextField(), json.loads(text)) == value


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_a_number_that_json_has_not_is_kept(value):
    (text,) = values.texts(models.FloatField(), [value])
    assert json.loads(text, parse_constant=pytest.fail) == {"float": str(value)}
    assert values.read(models.FloatField(), json.loads(text)) == value


def test_not_a_number_is_no_change():
    assert not list(keep.differing(models.FloatField(), [float("nan")], [float("nan")]))


def test_arrays_and_maps_are_kept():
    for value in ([Decimal("1.50"), None, [uuid.UUID(int=1)]], {"a": "x", "b": None}):
        (text,) = values.texts(models.Field(), [value])
        assert values.read(models.Field(), json.loads(text)) == value


@settings(max_examples=tries(200), deadline=None)
@given(in_json, in_json)
def test_json_is_written_as_its_library_does_and_of_texts_alone_compared_by_python(one, other):
    assert values.encode(one) == json.dumps(one, sort_keys=True, separators=(",", ":"))
    for each in (other, json.loads(json.dumps(one))):
        assert not values.is_of_texts(one) or (one == each) is values.same(one, each)
