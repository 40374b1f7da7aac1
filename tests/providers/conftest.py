"""The upstreams of the provider tests, all on loopback and over real HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from conversations.providers import http
from conversations.providers.recorded import UNPACED, RecordedServer, RecordedUpstream, serve
from tests.providers.support import Handler, RawServer


@pytest.fixture(scope="session")
def _server() -> Iterator[RecordedServer]:
    server = serve(RecordedUpstream(pace=UNPACED))
    yield server
    server.close()


@pytest.fixture
async def server(_server: RecordedServer) -> AsyncIterator[RecordedServer]:
    """The recorded upstream without a pace, with no scripts and an empty log."""
    _server.upstream.reset()
    yield _server
    await http.close()


RawStart = Callable[[Handler], Awaitable[tuple[RawServer, str]]]


@pytest.fixture
async def raw() -> AsyncIterator[RawStart]:
    """Start servers that send raw bytes; returns each with its address."""
    servers: list[RawServer] = []

    async def start(handler: Handler) -> tuple[RawServer, str]:
        server = RawServer(handler)
        servers.append(server)
        return server, await server.start()

    yield start
    await http.close()
    for server in servers:
        await server.stop()
