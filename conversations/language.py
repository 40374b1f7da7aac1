"""Which language somebody is spoken to in: the one that they chose, or else the one that their browser asks for.

Pages learn it from Django's middleware. A socket has none, nor has a thread that queries for it, nor an answer, which
lives on after the request that began it.
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation

CATALOGUES = Path(__file__).parent / "locale"


def of_socket(scope: Mapping[str, Any]) -> str:
    """The language for whoever opened the socket of this ASGI scope: that of their cookie, or of their browser."""
    wanted = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    asking = HttpRequest()
    asking.COOKIES, asking.META = scope["cookies"], {"HTTP_ACCEPT_LANGUAGE": wanted.decode("latin-1")}
    return translation.get_language_from_request(asking)


def carry_into(context: contextvars.Context) -> None:
    """Have what is done in `context` speak as the request at hand does."""
    context.run(translation.activate, translation.get_language() or settings.LANGUAGE_CODE)


def address(name: str, spoken: str) -> str:
    """The address of what anybody may keep: it says in which language that is, where it is not the site's own."""
    return reverse(name) + ("" if spoken == settings.LANGUAGE_CODE else f"?language={spoken}")


@cache
def edition(language: str) -> str:
    """What tells this version of the scripts' words in `language` from all others, for an address that may be kept.

    Empty where the scripts speak that language by themselves.
    """
    compiled = CATALOGUES / translation.to_locale(language) / "LC_MESSAGES" / "djangojs.mo"
    return sha256(compiled.read_bytes()).hexdigest()[:12] if compiled.exists() else ""
