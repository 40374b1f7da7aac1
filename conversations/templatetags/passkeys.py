"""What a page hands to the module that talks to the browser about passkeys."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """`value` as JSON, for an attribute."""
    return json.dumps(value, cls=DjangoJSONEncoder)
