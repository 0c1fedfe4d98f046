"""Which columns the files of a model have, made out of its resource; a resource that cannot be used says why."""

from collections.abc import Sequence

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import AutoField, Field, Model
from import_export.fields import Field as ResourceField
from import_export.widgets import ForeignKeyWidget

from .column import Column
from .related import RelatedColumn
from .resource import ExchangeResource


class Layout:
    """`columns` are those that are imported; by `key` a row finds its record. Of one request: columns look names up.

    Raise ImproperlyConfigured.
    """

    def __init__(self, resource: type[ExchangeResource]) -> None:
        self.resource = resource
        self.model: type[Model] = resource._meta.model
        self.columns = [column_of(self.model, field) for field in resource().get_import_fields() if not field.readonly]
        self.relations = [column.field.name for column in self.columns if isinstance(column, RelatedColumn)]
        self.names = [column.name for column in self.columns]
        self.key = self.key_column(resource._meta.import_id_fields)
        self.key_at = self.columns.index(self.key)

    def key_column(self, names: Sequence[str]) -> Column:
        chosen = [column for column in self.columns if list(names) == [column.field.name]]
        if not chosen:
            raise ImproperlyConfigured(
                f"import_id_fields is {list(names)}: name the one imported field by which to find a record."
            )
        [key] = chosen
        if not key.field.unique or isinstance(key, RelatedColumn):
            raise ImproperlyConfigured(f"its key {key.field.name!r} is no unique field: two records could have one.")
        key.is_needed = True
        return key


def column_of(model: type[Model], field: ResourceField) -> Column:
    name = field.attribute or field.column_name
    try:
        its_field = model._meta.get_field(name)
    except FieldDoesNotExist:
        raise ImproperlyConfigured(f"{name!r} is no field of the model: say readonly=True to only export it.") from None
    if not isinstance(its_field, Field) or its_field.many_to_many or not its_field.editable:
        raise ImproperlyConfigured(f"{name!r} cannot be imported: say readonly=True to only export it.")
    if isinstance(its_field, AutoField):
        raise ImproperlyConfigured(f"{name!r} is given by the database: leave it out.")
    if not its_field.is_relation:
        return Column(field.column_name, its_field, field.widget)
    if not isinstance(field.widget, ForeignKeyWidget):
        raise ImproperlyConfigured(f"{name!r} is a relation: give it a ForeignKeyWidget.")
    return RelatedColumn(field.column_name, its_field, field.widget)
