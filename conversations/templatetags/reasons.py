"""Reasons that are kept in one language, said in that of who reads them."""

from __future__ import annotations

from django import template

from conversations import rules

register = template.Library()


@register.filter
def worded(said: str) -> str:
    """Why something is in the queue, or why a rule was switched off."""
    return rules.worded(said)
