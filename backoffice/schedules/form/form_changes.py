"""What a person changed in a form over a row that is there: that alone is checked, written and logged."""

from typing import Any

from django.utils.functional import cached_property


class OnlyChanges:
    """For a ModelForm. What was sent back as it was shown is untouched, whatever the stored value looks like."""

    fields: Any
    initial: Any
    instance: Any
    errors: Any

    @cached_property
    def changed_data(self) -> list[str]:
        found: list[str] = super().changed_data  # type: ignore[misc]
        return [name for name in found if not self.is_as_shown(name)]

    @property
    def touched(self) -> set[str]:
        """Of a new row all fields: its values are chosen by leaving them, too."""
        return set(self.changed_data) if self.instance.pk else set(self.fields)

    def is_as_shown(self, name: str) -> bool:
        """A browser sends line ends of its own; a shown time may have lost its microseconds."""
        bound = self[name]  # type: ignore[index]
        shown = bound.field.widget.format_value(bound.field.prepare_value(bound.initial))
        both = (bound.data, "" if shown is None else shown)
        return all(isinstance(text, str) for text in both) and len({normal(text) for text in both}) == 1

    def keep_untouched(self, data: dict[str, Any]) -> None:
        """The stored value, even one that the form would not take from anybody today."""
        for name in self.fields.keys() - self.touched:
            self.errors.pop(name, None)
            data[name] = self.initial.get(name, self.fields[name].initial)

    def _get_validation_exclusions(self) -> set[str]:
        """Django's: the model does not check again what nobody touched."""
        found: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return found | (self.fields.keys() - self.touched)


def normal(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def plain(value: Any) -> Any:
    """As JSON can keep it."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)
