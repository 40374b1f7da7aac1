"""The challenge of a sign-in by passkey. Anybody may ask for one, so it is kept by who asks, in a signed cookie.

allauth looks for it in the session, which would be a row for every stranger. It is good for some minutes and, as
`factor_forms.py` sees to, once.
"""

from __future__ import annotations

from contextlib import suppress

from django.core import signing
from django.http import HttpRequest, HttpResponseBase

COOKIE = "passkey_challenge"
SECONDS = 300
IN_SESSION = "mfa.webauthn.state"  # allauth's name for it


def bring(request: HttpRequest) -> None:
    """Put what the browser was given where allauth looks for it."""
    with suppress(signing.BadSignature):
        given = request.COOKIES.get(COOKIE, "")
        request.session[IN_SESSION] = signing.loads(given, salt=COOKIE, max_age=SECONDS)


def take(request: HttpRequest, response: HttpResponseBase) -> None:
    """Give the browser what was made for it, or take back what it has answered. Nothing stays in the session."""
    made = request.session.pop(IN_SESSION, None)
    if made is None or request.method == "POST":
        response.delete_cookie(COOKIE, request.path)
    else:
        response.set_cookie(
            COOKIE,
            signing.dumps(made, salt=COOKIE),
            max_age=SECONDS,
            path=request.path,
            secure=request.is_secure(),
            httponly=True,
            samesite="Strict",
        )
