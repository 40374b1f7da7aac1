"""What a page asks of the fields of its form."""

from __future__ import annotations

from django import template
from django.forms import BoundField

register = template.Library()


@register.filter
def takes_focus(field: BoundField) -> bool:
    """Whether people begin at this field: the first that something is wrong with, or else the first of all."""
    names = list(field.form.fields)
    wrong = [name for name in names if name in field.form.errors]
    return field.name == (wrong or names)[0]
