"""Middleware before every page: who has to prove who they are or to set up a second factor does that first, who failed
too often waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import ceil
from typing import Any

from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_noop

from conversations import factors, metrics, pages, proofs
from conversations.accounts.limits import TooManyFailures
from conversations.views.guards import DatabaseAway

PROVING = {
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "account_logout",
}
SETTING_UP = {
    "account_second_factor",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "account_reauthenticate",
    "account_logout",
}
FOR_NOBODY = {"theme", "words", "speak", "readyz", "metrics", "manifest", "worker", "offline"}
FIRST = gettext_noop(
    "Your company asks for a second factor. Set one up first: open this page again. Your text is kept."
)
PROVE = gettext_noop(
    "Your company's sign-in is not enough here. Prove that it is you: open this page again. Your text is kept."
)

logger = logging.getLogger(__name__)


class AccountGate:
    """Looks at each request once it is known which page it is for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Lead whoever lacks a proof or a second factor to where they give it, from every page of theirs."""
        place = request.resolver_match
        name = place.url_name if place is not None and not place.namespaces else None
        if name in FOR_NOBODY:
            return None
        try:
            if proofs.lacks(request.user, request.session):
                request.proving = True  # type: ignore[attr-defined]  # pages say why they ask
                return None if name in PROVING else _to_prove(request)
            if name in SETTING_UP or not factors.lacks(request.user):
                return None
        except (OperationalError, InterfaceError) as error:  # which no middleware is asked about here
            return DatabaseAway(self._get_response).process_exception(request, error)
        if "HX-Request" in request.headers:
            return HttpResponse(pages.error(gettext(FIRST)), status=403)
        return redirect("account_second_factor")

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Say when the next try will be looked at. The answer is the same for every name."""
        if not isinstance(error, TooManyFailures):
            return None
        minutes = ceil(error.seconds / 60)
        page = {"minutes": minutes, "back": request.path}
        response = render(request, "account/too_many.html", page, status=429)
        response.headers["Retry-After"] = str(error.seconds)
        response.headers["Cache-Control"] = "no-store, private"
        return response


def _to_prove(request: HttpRequest) -> HttpResponse:
    """To the page that asks for a proof, and back from there; without anything to prove it by, what to do."""
    metrics.sign_in_refusals.labels("proof").inc()
    if "HX-Request" in request.headers:
        return HttpResponse(pages.error(gettext(PROVE)), status=403)
    person = request.user
    if isinstance(person, User) and not proofs.has_own(person):
        return render(request, "account/nothing_to_prove_by.html", status=403)
    way = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("start")
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': way})}")
