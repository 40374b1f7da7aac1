"""The HTTP clients of each event loop, and what their transport's errors mean.

A client follows no redirect, keeps no cookie and reads no proxy from the environment: a request goes
to the address it was written for, with one company's key, and leaves nothing behind for the next. One client
reaches public addresses only (`guard`); the other is for servers that the site names as its own.
"""

import asyncio
import functools
import logging
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from weakref import WeakKeyDictionary

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from conversations.providers.events import Clocks
from conversations.providers.guard import PublicResolver, PublicTransport, public_socket

BROKEN = (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError)
"""What a transport raises when a connection fails; aiohttp's own errors pass where no mapping exists."""

_IDLE_SECONDS = 15.0
_WRITE_SECONDS = 30.0

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, httpx.AsyncClient]] = WeakKeyDictionary()


async def shared_client(*, local: bool = False) -> httpx.AsyncClient:
    """Return the running loop's client, made on first use: the one for public addresses, or for `local` ones too."""
    loop = asyncio.get_running_loop()
    clients = _clients.get(loop)
    if clients is None:
        # A client holds its loop, so one whose loop is gone would stay for ever.
        for stale in [each for each in _clients if each.is_closed()]:
            await _close(_clients.pop(stale))
        clients = _clients[loop] = {}
    if local not in clients:
        clients[local] = new_client(local=local)
    return clients[local]


def new_client(*, local: bool = False) -> httpx.AsyncClient:
    """Return a client of the caller's own, to be closed by it."""
    # At INFO its log line holds whole addresses.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    kind = AiohttpTransport if local else PublicTransport
    session = _local_session if local else _public_session
    transport = kind(verify=_tls(), trust_env=False, client=session)
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, cookies=no_cookies)


async def close() -> None:
    """Close the running loop's clients; the next request makes a new one."""
    await _close(_clients.pop(asyncio.get_running_loop(), {}))


def timeouts(clocks: Clocks) -> httpx.Timeout:
    """Return the transport's share of the clocks: reading is timed by whoever reads."""
    return httpx.Timeout(None, connect=clocks.connect, write=_WRITE_SECONDS, pool=clocks.connect)


def is_before_sending(error: Exception) -> bool:
    """Tell whether a request failed while connecting, so that asking again cannot ask twice.

    The aiohttp transport reports as a connect timeout whatever goes wrong with a connection, also after
    the request was sent; only the error beneath tells.
    """
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientError):
        if isinstance(cause, aiohttp.ClientSSLError):
            return False
        return isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


async def _close(clients: dict[bool, httpx.AsyncClient]) -> None:
    for client in clients.values():
        await client.aclose()


def _local_session() -> aiohttp.ClientSession:
    # No limit on connections: answers are long, and one that waits for another's end is a stalled chat.
    return _session(aiohttp.TCPConnector(limit=0, ssl=_tls(), keepalive_timeout=_IDLE_SECONDS))


def _public_session() -> aiohttp.ClientSession:
    return _session(
        aiohttp.TCPConnector(
            limit=0,
            ssl=_tls(),
            keepalive_timeout=_IDLE_SECONDS,
            resolver=PublicResolver(),
            socket_factory=public_socket,
        )
    )


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes tens of milliseconds, so once a process."""
    return httpx.create_ssl_context(trust_env=False)
