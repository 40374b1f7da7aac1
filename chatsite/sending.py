"""What Daphne lacks where it sends, where Daphne is what serves.

What a page is sent may be of any size; what it sends may not. Daphne has one limit for both, and a message beyond it is
not sent: it is lost, and nobody is told. A conversation with its code can be longer than a page should ever be allowed
to send. Other servers limit only what comes in.

And a file is sent as fast as its reader takes it up. Daphne takes all that it is handed and keeps it until then: of
readers that read nothing it keeps whole files. Other servers have whoever sends wait.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from conversations import metrics

STALLED = 30.0  # seconds in which a reader takes nothing up, after which it is gone


def mend() -> None:
    """Have Daphne do what is said above."""
    if "daphne.server" in sys.modules:
        _unlimited(sys.modules["daphne.ws_protocol"].WebSocketProtocol)
        _paced(sys.modules["daphne.server"].Server)


def _unlimited(protocol: Any) -> None:
    """Have the limit of a socket's messages apply to what comes in."""
    limited = protocol.sendMessage

    def send(self: Any, *message: Any, **options: Any) -> None:
        limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            limited(self, *message, **options)
        finally:
            self.maxMessagePayloadSize = limit

    protocol.sendMessage = send


class _Reader:
    """Whether a connection has room for more, as Twisted tells its producers."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.ready.set()

    def pauseProducing(self) -> None:  # noqa: N802 (these names are Twisted's)
        self.ready.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.ready.set()

    stopProducing = resumeProducing  # noqa: N815


def _paced(server: Any) -> None:
    """Have whoever sends a response in pieces wait with each until the last one was taken up but for 64 KB."""
    handed = server.handle_reply

    async def handle_reply(self: Any, request: Any, message: dict[str, Any]) -> None:
        open_ = request in self.connections and getattr(request, "channel", None) is not None
        if message["type"] != "http.response.body" or not open_:
            await handed(self, request, message)
            return
        more = message.get("more_body", False)
        if more and request.producer is None:
            request.registerProducer(_Reader(), True)
        elif not more and request.producer is not None:
            request.unregisterProducer()
        await handed(self, request, message)
        if more:
            await _room(request)

    server.handle_reply = handle_reply


async def _room(request: Any) -> None:
    """Wait until there is room for more, or for so long that nobody can be reading: then the connection ends."""
    try:
        async with asyncio.timeout(STALLED):
            await request.producer.ready.wait()
    except TimeoutError:
        metrics.refused.labels("download_unread").inc()
        if request.channel is not None:
            request.channel.transport.abortConnection()
