"""Where a page finds what there is of it in its own language: the words of its scripts, what a device keeps."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils import translation

from conversations import language

register = template.Library()


@register.simple_tag
def words_address() -> str:
    """Where the scripts' words are in the language of the page; empty where they speak it by themselves."""
    spoken = translation.get_language()
    edition = language.edition(spoken)
    return f"{reverse('words', args=[spoken])}?v={edition}" if edition else ""


@register.simple_tag
def address_to_keep(name: str) -> str:
    """The address of what anybody may keep, in the language of the page."""
    return language.address(name, translation.get_language())
