"""Running the recorded upstream on loopback, so that its answers travel over real HTTP.

The server lives in a daemon thread with an event loop of its own and ends with the process.
"""

import asyncio
import socket
import threading

import uvicorn

from conversations.providers.events import WireName
from conversations.providers.recorded.app import RecordedUpstream

_HOST = "127.0.0.1"
_KEEP_ALIVE = 60
_BACKLOG = 1024


class RecordedServer:
    """A running upstream; `upstream` takes scripts and holds what was asked."""

    def __init__(self, upstream: RecordedUpstream) -> None:
        self.upstream = upstream
        self._socket = socket.create_server((_HOST, 0), backlog=_BACKLOG)
        # asyncio leaves this out for a socket made elsewhere, and each token would wait 40 ms for its ACK.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            upstream,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="recorded-upstream", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port that the system chose."""
        port: int = self._socket.getsockname()[1]
        return port

    def base_url(self, wire: WireName) -> str:
        """Return the base address to configure for a wire."""
        return f"http://{_HOST}:{self.port}/{wire}"

    def close(self) -> None:
        """Stop the server, dropping what is still running."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


def serve(upstream: RecordedUpstream | None = None) -> RecordedServer:
    """Start an upstream on a free loopback port; connections are taken from the moment this returns."""
    return RecordedServer(upstream or RecordedUpstream())


_lock = threading.Lock()
_shared: RecordedServer | None = None


def base_url(wire: WireName) -> str:
    """Return the base address of the process's own upstream, which the first call starts."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = serve(RecordedUpstream(remember=0))
        return _shared.base_url(wire)
