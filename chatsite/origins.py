"""Which pages may open a socket: this site's own, by exact origin.

A browser sends the session cookie with a socket that any page opens, and no CSRF token guards a handshake; the
Origin header is what does. Channels' host-based validator ignores scheme and port.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


def is_own_origin(origin: str, host: str) -> bool:
    """Whether a page of `origin` may connect to us at `host`, the request's Host header."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    domain, _ = split_domain_port(host.lower())
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    return origin.lower() == f"{'https' if settings.HTTPS else 'http'}://{host.lower()}"


class SameOrigin:
    """Refuse the handshake of a foreign, missing or forged origin."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        headers = dict(scope["headers"])
        origin, host = (headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host"))
        if is_own_origin(origin, host):
            await self.application(scope, receive, send)
        else:
            await refuse(scope, receive, send)


async def refuse(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Turn a handshake away: a plain 403 to the client."""
    await receive()
    await send({"type": "websocket.close"})
