"""What is served: pages by Django, sockets by Channels. How a process serves it is `asgi.py`'s business."""

import os
from typing import Any

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup(set_prefix=False)


from chatsite.handler import PageHandler  # noqa: E402  (these need the settings that the line above loads)
from chatsite.origins import SameOrigin, refuse  # noqa: E402
from conversations import generation  # noqa: E402
from conversations.routing import websocket_urlpatterns  # noqa: E402

# Channels routes to ASGI applications, which the types of Django do not foresee.
_NO_SUCH_SOCKET = re_path("", refuse)  # type: ignore[arg-type]

_routes = ProtocolTypeRouter(
    {
        "http": PageHandler(),
        "websocket": SameOrigin(CookieMiddleware(URLRouter([*websocket_urlpatterns, _NO_SUCH_SOCKET]))),
    }
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request or socket. The first one has the answers of a process that died swept up."""
    generation.keep()
    await _routes(scope, receive, send)
