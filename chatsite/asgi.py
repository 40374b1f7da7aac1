"""The ASGI application: pages by Django, sockets by Channels.

Any ASGI server can run it; it relies on no lifespan event, because Daphne sends none.
"""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
http = get_asgi_application()

from chatsite.origins import SameOrigin  # noqa: E402  (these need the settings that the line above loads)
from conversations import generation  # noqa: E402
from conversations.routing import websocket_urlpatterns  # noqa: E402

_routes = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SameOrigin(CookieMiddleware(URLRouter(websocket_urlpatterns))),
    }
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request or socket. The first one has the answers of a process that died swept up."""
    generation.keep()
    await _routes(scope, receive, send)
