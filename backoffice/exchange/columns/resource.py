"""What a model's files hold, as a resource of django-import-export says it."""

from typing import Any

from django.db.models import Field as ModelField
from import_export.fields import Field
from import_export.resources import ModelResource

from .cells import Text, YesNo


class ExchangeResource(ModelResource):
    """What a model's files hold: `Meta` has its `model`, the `fields` in the order of their columns and, in
    `import_id_fields`, the unique one by which a row finds its record.

    A field that no form edits is exported and never imported. Each cell is read by the model's field, with its
    validators; where the model has a `clean()`, each row by that. A relation goes by the other row's number, or by what
    `Field(attribute=..., widget=ForeignKeyWidget(Model, "name"))` names; `readonly=True` only exports. Rows are written
    many at a time: neither `save()` nor a method of the resource is called, but `dehydrate_<field>` in an export.
    """

    WIDGETS_MAP = {
        "OneToOneField": "get_fk_widget",
        "ForeignKey": "get_fk_widget",
        "ManyToManyField": "get_m2m_widget",
        "BooleanField": YesNo,
        "JSONField": ModelResource.WIDGETS_MAP["JSONField"],
    }

    @classmethod
    def widget_from_django_field(cls, f: "ModelField[Any, Any]", default: type[Text] = Text) -> Any:
        return super().widget_from_django_field(f, default)

    @classmethod
    def widget_kwargs_for_field(cls, field_name: str, django_field: Any) -> dict[str, Any]:
        """Those of `Meta.widgets`, and none of the library's for its own widget of texts."""
        return dict((cls._meta.widgets or {}).get(field_name, {}))

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> Field:
        given_by_database = not django_field.editable or getattr(django_field, "auto_created", False)
        return super().field_from_django_field(field_name, django_field, readonly or given_by_database)
