"""What httpx sends with: aiohttp, reading no more than is asked for.

Whoever reads an answer takes what has gathered and rests (`batches` in `stream`). Without more, the event loop would be
woken for each token meanwhile, to put it into a buffer; so it is left to the kernel until it is asked for.
"""

from collections.abc import AsyncIterator

import httpx
from aiohttp import ClientResponse
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream

MOST = AiohttpResponseStream.CHUNK_SIZE
"""Bytes of one reading; where it was that many, more had arrived."""


class Transport(AiohttpTransport):
    """Gives back responses that rest between two readings."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, AiohttpResponseStream):
            response.stream = _Resting(response.stream)
        return response


class _Resting(AiohttpResponseStream):
    def __init__(self, stream: AiohttpResponseStream) -> None:
        self._response: ClientResponse = stream._aiohttp_response
        super().__init__(self._response)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in super().__aiter__():
            # A connection whose answer has ended serves others. One that has more buffered is aiohttp's to hold.
            connection = self._response.connection if len(chunk) < MOST else None
            transport = connection.transport if connection else None
            if transport is None:
                yield chunk
                continue
            transport.pause_reading()
            try:
                yield chunk
            finally:
                transport.resume_reading()
