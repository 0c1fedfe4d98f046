"""Two people, one form: nobody writes over what somebody else saved since the page was opened.

A page sends along a digest of each value that its form showed. When it comes back the row is locked, and the same form
is asked what it would show now: a difference is told, with the value that is stored, and what was typed stays. Of a
field that both have changed it is chosen which one stays.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connections
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

SEEN, TAKE, THEIRS = "seen", "take-", "theirs"
DIGEST = 12  # letters
LONGEST = 200  # characters of a stored value, as it is told
Digests = dict[str, str]


def plain(value: Any) -> str:
    """The same text for the same stored value, whichever way a form holds it."""
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, list | tuple | set) or hasattr(value, "iterator"):
        return "\n".join(sorted(plain(each) for each in value))
    return "" if value is None else str(value)


def shown(form: forms.BaseForm) -> dict[str, Any]:
    """What the form shows of the stored row, whatever was typed; a file cannot be shown again."""
    return {
        name: form.get_initial_for_field(field, name)
        for name, field in form.fields.items()
        if not field.disabled and name != SEEN
    }


def digests(values: Mapping[str, Any]) -> Digests:
    return {name: hashlib.sha256(plain(value).encode()).hexdigest()[:DIGEST] for name, value in values.items()}


def written(found: Digests) -> str:
    return " ".join(f"{name}:{digest}" for name, digest in found.items())


def read(text: str) -> Digests:
    return dict(part.rpartition(":")[::2] for part in text.split())


@dataclass(frozen=True, slots=True)
class Side:
    """One of two values of a field: in words, and as its input holds it."""

    name: str
    label: Any
    words: str
    value: str


class SeenForm(forms.ModelForm):
    """Before the form of a model: refuses to save over what came meanwhile."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices: dict[str, list[Side]] = {}  # of fields that both have changed: theirs, and what was typed
        if self.is_bound and self.instance.pk and not self.prefix:
            now = shown(self)
            self.show_stored({name: now[name] for name in now if self.data.get(f"{TAKE}{name}") == THEIRS})

    @property
    def seen(self) -> str:
        """For the page: what its form shows now."""
        return written(digests(shown(self))) if self.instance.pk else ""

    def _post_clean(self) -> None:
        """After the form's own checks, which may end in an error: what came meanwhile is told beside it."""
        super()._post_clean()  # type: ignore[misc]
        before = read(self.data.get(SEEN, "")) if self.instance.pk and not self.prefix else {}
        now = shown(self)
        digest = digests(now)
        changed = [name for name in now if name in before and before[name] != digest[name]]
        if changed:
            untouched = {name for name in changed if digests(self.typed(name)).get(name) == before[name]}
            alike = {name for name in changed if digests(self.typed(name)).get(name) == digest[name]}
            self.tell(changed, now)
            self.choices = {name: self.sides(name, now[name]) for name in changed if name not in untouched | alike}
            self.show_stored({name: now[name] for name in untouched})

    def sides(self, name: str, now: Any) -> list[Side]:
        field, key = self.fields[name], self.add_prefix(name)
        stored = field.widget.format_value(field.prepare_value(now)) if hasattr(field.widget, "format_value") else now
        typed = field.widget.value_from_datadict(self.data, self.files, key)
        mine = self.cleaned_data.get(name, typed)
        return [
            Side("mine", _("Yours"), self.in_words(name, mine), plain_input(typed)),
            Side(THEIRS, _("Theirs"), self.in_words(name, now), plain_input(stored)),
        ]

    def typed(self, name: str) -> dict[str, Any]:
        return {name: self.cleaned_data[name]} if name in self.cleaned_data else {}

    def show_stored(self, values: Mapping[str, Any]) -> None:
        """In fields that this person left alone. Else saving again would bring back what they never meant to write."""
        data: Any = self.data.copy() if isinstance(self.data, QueryDict) else QueryDict(mutable=True)
        for name, value in values.items():
            widget, key = self.fields[name].widget, self.add_prefix(name)
            if isinstance(widget, forms.SelectMultiple):
                data.setlist(key, [plain(each) for each in value])
            elif isinstance(widget, forms.CheckboxInput):
                data.pop(key, None)
                data.update({key: "on"} if value else {})
            elif isinstance(widget, forms.MultiWidget):
                names: list[str] = getattr(widget, "widgets_names", [])
                parts = zip(names, widget.decompress(value) or (), strict=False)
                data.update({f"{key}{suffix}": plain(part) for suffix, part in parts})
            else:
                data[key] = plain(self.fields[name].prepare_value(value))
        if data:
            self.data = data

    def tell(self, changed: Iterable[str], now: Mapping[str, Any]) -> None:
        names = ", ".join(f"“{self.label_of(name)}”" for name in changed)
        self.add_error(
            None,
            _(
                "Somebody changed this after you opened it: %(names)s. Nothing was saved. What is stored now stands at "
                "each of these fields, and in those you had left alone; what you typed is still here. Look, choose "
                "where you both changed it, and save again."
            )
            % {"names": names},
        )
        for name in changed:
            self.add_error(name, _("Stored meanwhile: %(value)s") % {"value": self.in_words(name, now[name])})

    def label_of(self, name: str) -> str:
        return capfirst(str(self.fields[name].label or name))

    def in_words(self, name: str, value: Any) -> str:
        choices = {str(key): str(label) for key, label in flat(getattr(self.fields[name], "choices", ()))}
        values = list(value) if isinstance(value, list | tuple | set) else [value]
        words = [choices.get(plain(each), plain(each)) for each in values]
        text = ", ".join({"True": _("yes"), "False": _("no"), "": _("nothing")}.get(word, word) for word in words)
        return text[:LONGEST] or _("nothing")


def flat(choices: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from flat(label)
        else:
            yield getattr(value, "value", value), label


def plain_input(value: Any) -> str:
    """As an input holds it; of several values the first."""
    return plain(value[0] if isinstance(value, list | tuple) and value else value)


class SeenFormSet(forms.BaseModelFormSet):
    """Before the formset of an inline, or of a list's cells: its rows are compared as a whole. Its management form
    carries the digest."""

    def get_queryset(self) -> QuerySet[Any]:
        """Rows that are sent back are locked before they are read: an outcome that comes meanwhile waits, and stays."""
        if self.is_bound and not hasattr(self, "_queryset"):
            model: Any = self.model
            rows = model._default_manager.all() if self.queryset is None else self.queryset
            if connections[rows.db].in_atomic_block:
                lock_all(rows)
        found: QuerySet[Any] = super().get_queryset()
        return found

    @cached_property
    def management_form(self) -> Any:
        form = super().management_form
        form.fields[SEEN] = forms.CharField(required=False, widget=forms.HiddenInput)
        self.before = form.data.get(form.add_prefix(SEEN), "") if form.is_bound else ""
        now = self.digest()
        if form.is_bound:
            form.data = {**form.data, form.add_prefix(SEEN): now}
        form.initial[SEEN] = now
        return form

    def digest(self) -> str:
        rows = {str(form.instance.pk): written(digests(shown(form))) for form in self.stored_forms()}
        return digests({"rows": sorted(f"{pk} {row}" for pk, row in rows.items())})["rows"]

    def stored_forms(self) -> Iterator[Any]:
        """Of every row that is stored now, sent or not; read anew, for what was typed stands in these rows already."""
        unbound = type(self)(queryset=self.get_queryset().all(), prefix=self.prefix, **self.unbound_options())
        yield from unbound.initial_forms

    def unbound_options(self) -> dict[str, Any]:
        return {"instance": self.instance} if hasattr(self, "instance") else {}

    def clean(self) -> None:
        super().clean()
        _read = self.management_form
        if self.before and self.before != self.digest():
            raise ValidationError(
                _(
                    "Somebody changed these rows after you opened the page. Nothing was saved. Open it in another "
                    "window to see them, correct yours, and save again."
                )
            )


class SeenEdits:
    """For every admin: a form that is sent back is compared with what is stored, under the row's lock."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        model: type[Model] = self.model  # type: ignore[attr-defined]
        if request.method == "POST" and connections[model._base_manager.db].in_atomic_block:
            lock(model, object_id, from_field)
        return super().get_object(request, object_id, from_field or None)  # type: ignore[misc]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)  # type: ignore[misc]
        return type(form.__name__, (SeenForm, form), {}) if change else form

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Iterator[Any]:
        for formset, inline in super().get_formsets_with_inlines(request, obj):  # type: ignore[misc]
            edits = (inline.has_change_permission(request, obj), inline.has_delete_permission(request, obj))
            wrap = any(edits) and not issubclass(formset, SeenFormSet)
            yield (type(formset.__name__, (SeenFormSet, formset), {}) if wrap else formset), inline

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        formset = super().get_changelist_formset(request, **kwargs)  # type: ignore[misc]
        return type(formset.__name__, (SeenFormSet, formset), {})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["seen"] = getattr(context["adminform"].form, SEEN, "")
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def lock(model: type[Model], object_id: str, from_field: str | None = None) -> None:
    """Until the transaction ends: of two who save at once the second is compared with what the first one saved."""
    try:
        field = model._meta.get_field(from_field) if from_field else model._meta.pk
        key = field.to_python(object_id)  # type: ignore[union-attr]
    except (FieldDoesNotExist, ValidationError):
        return
    lock_all(model._base_manager.filter(**{field.name: key}))


def lock_all(rows: QuerySet[Any]) -> None:
    """In one order, so that two wait for each other and never in a circle."""
    keys = rows.order_by().values_list("pk")
    list(rows.model._base_manager.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True).values_list("pk"))
