"""The one HTTP client of each event loop, and what its transport's errors mean.

The client follows no redirect, keeps no cookie and reads no proxy from the environment: a request goes
to the address it was written for, with one company's key, and leaves nothing behind for the next.
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

BROKEN = (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError)
"""What a transport raises when a connection fails; aiohttp's own errors pass where no mapping exists."""

_IDLE_SECONDS = 15.0
_WRITE_SECONDS = 30.0

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()


async def shared_client() -> httpx.AsyncClient:
    """Return the running loop's client, made on first use."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        # A client holds its loop, so one whose loop is gone would stay for ever.
        for stale in [each for each in _clients if each.is_closed()]:
            await _clients.pop(stale).aclose()
        client = _clients[loop] = new_client()
    return client


def new_client() -> httpx.AsyncClient:
    """Return a client of the caller's own, to be closed by it."""
    # At INFO its log line holds whole addresses.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    transport = AiohttpTransport(verify=_tls(), trust_env=False, client=_new_session)
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, cookies=no_cookies)


async def close() -> None:
    """Close the running loop's client; the next request makes a new one."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


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


def _new_session() -> aiohttp.ClientSession:
    # No limit on connections: answers are long, and one that waits for another's end is a stalled chat.
    connector = aiohttp.TCPConnector(limit=0, ssl=_tls(), keepalive_timeout=_IDLE_SECONDS)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes tens of milliseconds, so once a process."""
    return httpx.create_ssl_context(trust_env=False)
