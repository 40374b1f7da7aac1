"""Connections to public addresses only, whatever a name leads to from one moment to the next.

A name is resolved once for a connection, every address is judged, and the connection is made to those very addresses:
between the judgement and the connection nobody is asked again. TLS and Host keep the name. The connector keeps what was
judged for ten seconds, which is no way around: it connects to what it kept. An address that came by another way, such
as one in numbers, is judged when its socket is made.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from httpx_aiohttp import AiohttpTransport

from conversations.providers import addresses


class NotPublic(OSError):
    """A connection that was not made, because it would not have led to the public internet."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "The address is not public.")


class PublicResolver(AbstractResolver):
    """Resolves names as the system does, and refuses a name of which any address is not public."""

    def __init__(self) -> None:
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give back the addresses of `host`. Raises NotPublic, and OSError where there are none."""
        found = await self._system.resolve(host, port, family)
        if not all(addresses.is_public(each["host"]) for each in found):
            raise NotPublic
        return found

    async def close(self) -> None:
        """Nothing is kept."""
        await self._system.close()


class PublicTransport(AiohttpTransport):
    """Takes https:// only, so that no key and no prompt goes out in clear."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme != "https":
            raise NotPublic
        return await super().handle_async_request(request)


def public_socket(where: tuple[Any, ...]) -> socket.socket:
    """A socket for the address that is about to be connected to. Raises NotPublic."""
    family, kind, protocol, _, address = where
    if not addresses.is_public(address[0]):
        raise NotPublic
    return socket.socket(family=family, type=kind, proto=protocol)


def refused(error: BaseException) -> bool:
    """Whether a request failed because it would not have led to the public internet."""
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientConnectorError):
        return isinstance(cause.os_error, NotPublic)
    return isinstance(error, NotPublic)
