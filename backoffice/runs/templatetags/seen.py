from typing import Any

from django import template

from ..change import seen

register = template.Library()


@register.inclusion_tag("runs/seen/before_after.html")
def before_after(before: Any, after: Any) -> dict[str, Any]:
    """Two different values, the one struck out."""
    one, other = seen.sides(str(before), str(after))
    return {"before": one, "after": other}


@register.inclusion_tag("runs/seen/value.html")
def value(text: Any, beside: Any = None) -> dict[str, Any]:
    """A value, with signs for what cannot be seen; `beside`: one that it must not be taken for."""
    return {"parts": seen.one(str(text), None if beside is None else str(beside))}
