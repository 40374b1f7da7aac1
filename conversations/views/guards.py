"""What stands before every view: a signed-in person, and refusals as sentences."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, gettext_noop
from django_htmx.middleware import HtmxDetails

from conversations import attaching, generation, metrics, pages
from conversations.posting import Refused

P = ParamSpec("P")
V = TypeVar("V", bound=Callable[..., HttpResponseBase])

logger = logging.getLogger(__name__)

BUSY = gettext_noop("The database does not answer at the moment. Your text is kept. Try again.")
UNREADABLE = gettext_noop("The database does not answer at the moment. What was written is kept. Try again.")
FULL = gettext_noop(
    "The server has no room left to keep anything. Your text is kept on this page; tell whoever runs the site."
)
_NO_ROOM = ("disk is full", "readonly database", "No space left on device")  # SQLite's words and PostgreSQL's
SIGNED_OUT = gettext_noop(
    "You are signed out. Your text is kept. Sign in again in another tab, then try again."
)


class PersonRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    htmx: HtmxDetails


def signed_in(
    view: Callable[Concatenate[PersonRequest, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let only signed-in people through, and answer a `Refused` with its sentence and status."""

    @wraps(view)
    def guarded(anyone: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        request = cast(PersonRequest, anyone)
        try:
            if not anyone.user.is_authenticated:
                if request.htmx:
                    return HttpResponse(pages.error(gettext(SIGNED_OUT)), status=401)
                return redirect_to_login(request.get_full_path())
            with generation.form() if request.method == "POST" else nullcontext():
                response = view(request, *args, **kwargs)
        except Refused as refusal:
            if refusal.limit:
                metrics.refused.labels(refusal.limit).inc()
            response = _refusal(request, refusal.sentence, refusal.status, retry_after=refusal.retry_after)
        # A page of somebody's chats is nobody else's: not a cache's, not the next person's at this machine.
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return guarded


def takes_files(view: V) -> V:
    """Mark a view whose form brings files: its request may hold as much more as these may have."""
    view.more_bytes = attaching.TOTAL_BYTES  # type: ignore[attr-defined]
    return view


class DatabaseAway:
    """Middleware: where the database fails a page, whoever it is for is told that, and when to ask again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for a view that could not query, and for no other."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        place = (
            request.resolver_match.route if request.resolver_match else "a page"
        )  # the path may be a secret
        logger.error("%s has to wait: %s", place, type(error).__name__)
        if request.method != "POST":
            sentence = UNREADABLE
        else:
            sentence = FULL if any(words in str(error) for words in _NO_ROOM) else BUSY
        response = _refusal(request, gettext(sentence), 503)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response


def _refusal(request: HttpRequest, sentence: str, status: int, *, retry_after: int = 0) -> HttpResponse:
    """A sentence above the composer; for a form that was sent without scripts, a page of its own."""
    if "HX-Request" in request.headers:
        response = HttpResponse(pages.error(sentence), status=status)
    else:
        page = {"sentence": sentence, "reading": request.method in ("GET", "HEAD")}
        response = render(request, "refused.html", page, status=status)
    if seconds := retry_after or (5 if status == HTTPStatus.SERVICE_UNAVAILABLE else 0):
        response.headers["Retry-After"] = str(seconds)
    return response
