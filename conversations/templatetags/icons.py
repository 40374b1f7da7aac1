"""Icons of Heroicons in templates: `{% icon "outline" "check" 18 "icon-copied" %}`.

They stand for nothing that is not said in words beside them, so they are hidden from screen readers. The package
reads an SVG anew at each use; a conversation shows hundreds of the same few.
"""

from __future__ import annotations

import functools

from django import template
from heroicons.templatetags import heroicons

register = template.Library()

_STYLES = {
    "outline": heroicons.heroicon_outline,
    "solid": heroicons.heroicon_solid,
    "mini": heroicons.heroicon_mini,
}


@register.simple_tag
@functools.cache
def icon(style: str, name: str, size: int, classes: str = "") -> str:
    """The icon `name` as inline SVG, `size` pixels square."""
    further = {"class": classes} if classes else {}
    return _STYLES[style](name, size=size, aria_hidden="true", **further)
