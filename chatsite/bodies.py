"""How much of a request is looked at: no form is longer, and files come in pieces, so whatever is longer is nobody's.

Django's own limit leaves the files of a form out, which it would put on disk. What a server has read by then is its
own business, so a proxy holds the same limit before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse


class Bounded:
    """Middleware: refuse a body past DATA_UPLOAD_MAX_MEMORY_SIZE, whatever it holds, in the words of its place. A view
    whose form brings files says how many `more_bytes` it takes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *arguments: Any) -> None:
        """Look before anything reads it. Raises RequestDataTooBig."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + getattr(view, "more_bytes", 0)
        if length.isdecimal() and int(length) > most:
            raise RequestDataTooBig("The body of the request is too long.")
