"""{% load reason %}: how long a reason may be, as every door has it."""

from django import template

from ..forms.reason import LONGEST

register = template.Library()


@register.simple_tag
def longest_reason() -> int:
    return LONGEST
