"""Which languages there are, and where a page's scripts find their words in its own."""

from __future__ import annotations

from django import template
from django.conf import settings
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
def languages() -> list[tuple[str, str]]:
    """The languages of the site, each with its name in itself."""
    return list(settings.LANGUAGES)
