"""The ASGI application: pages by Django, sockets by Channels.

Any ASGI server can run it; it relies on no lifespan event, because Daphne sends none.
"""

import gc
import os
import sys
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

# What is loaded by now stays for good, and what an answer leaves behind is freed by its counts: looking through all of
# it each time some hundred objects were made takes a fifth of the processor's time while answers stream.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)

# The event loop streams; each time it has waited for a socket, it asks the threads that make pages for the interpreter
# back. With Python's five milliseconds for each of them, a burst of questions holds up every answer that runs.
sys.setswitchinterval(0.002)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request or socket. The first one has the answers of a process that died swept up."""
    generation.keep()
    await _routes(scope, receive, send)
