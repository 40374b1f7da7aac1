"""In which browsers somebody signed in before. What is guessed elsewhere locks nobody out of those.

A signed cookie says so, for a few accounts (OWASP calls it a device cookie). It lets nobody in: mistakes with it have a
count of their own, as strict as that of strangers, and only who signed in once has one for that account. It is good for
as long as the password is the same.
"""

from __future__ import annotations

import secrets

from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.crypto import salted_hmac

COOKIE = "known_browser"
SECONDS = 180 * 24 * 3600
ACCOUNTS = 5  # of one browser, those that signed in last


def of(request: HttpRequest, username: str) -> str | None:
    """What this browser is called at the account `username`; None where nobody signed in to that with it."""
    known = _known(request)
    return known.get(_account(username)) if known else None


def remember(request: HttpRequest, response: HttpResponseBase, username: str) -> None:
    """Have the browser known at the account `username`, under the name that it has there already."""
    known = _known(request)
    account = _account(username)
    known[account] = known.pop(account, "") or secrets.token_urlsafe(9)
    response.set_cookie(
        COOKIE,
        signing.dumps(dict(list(known.items())[-ACCOUNTS:]), salt=COOKIE),
        max_age=SECONDS,
        path=reverse("account"),
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> dict[str, str]:
    try:
        found: dict[str, str] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=SECONDS)
    except signing.BadSignature:
        return {}
    return found


def _account(username: str) -> str:
    """What stands for an account with its password in the cookie, which others at the same machine may look into."""
    named = User.objects.filter(username__iexact=username).order_by("pk")
    password = named.values_list("password", flat=True).first() or ""
    return salted_hmac(COOKIE, f"{username} {password}", algorithm="sha256").hexdigest()[:16]
