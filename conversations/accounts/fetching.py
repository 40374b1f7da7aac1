"""What is fetched from a company's provider while somebody waits: little, soon, and from nowhere else.

It takes the place of the session of requests that allauth would use. Names are resolved once for a connection, each of
the addresses has to be public, and the connection is made to one of those; servers of the site's own are those that
LOCAL_UPSTREAMS names.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from conversations import endpoints
from conversations.providers import addresses

CONNECT_SECONDS, SILENCE_SECONDS = 3, 5
WHOLE_SECONDS = 10  # a server that sends a byte now and then is never silent
MOST_BYTES = 512 * 1024
EACH, ALL = 2, 3  # who wait at once, for one provider and for all of them: pages have five threads
PATIENCE = 0.5  # seconds until a place is free

_pool = ThreadPoolExecutor(max_workers=2 * ALL, thread_name_prefix="providers")
_hosts: dict[str, threading.BoundedSemaphore] = {}  # as many as operators wrote down
_everybody = threading.BoundedSemaphore(ALL)


@contextlib.contextmanager
def _place(places: threading.BoundedSemaphore) -> Iterator[None]:
    """One of so many at once. Raises requests.Timeout where none is free soon."""
    if not places.acquire(timeout=PATIENCE):
        raise requests.Timeout("Too many wait for this provider.")
    try:
        yield
    finally:
        places.release()


class _PublicConnection(HTTPSConnection):
    """A connection to the public internet. TLS and Host keep the name that was judged."""

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
            if not all(addresses.is_public(str(each[4][0])) for each in found):
                raise NewConnectionError(self, "The provider's address is not public.")
            return create_connection(
                (str(found[0][4][0]), self.port), self.timeout, socket_options=self.socket_options
            )
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "The provider does not answer.") from error
        except OSError as error:
            raise NewConnectionError(self, "The provider cannot be reached.") from error


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class _Public(HTTPAdapter):
    """How what is not the site's own is asked."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _PublicPool}


class Session(requests.Session):
    """A session without redirects, and without what the environment says of proxies and passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.own = self.get_adapter("https://")
        self.mount("https://", _Public())

    def get_adapter(self, url: Any) -> Any:
        """How an address is asked. Raises requests.exceptions.InvalidURL for a public one in clear."""
        if hasattr(self, "own") and endpoints.is_own(url):
            return self.own
        if url.lower().startswith("http:"):
            raise requests.exceptions.InvalidURL("The provider has to be asked by https://.")
        return super().get_adapter(url)

    def request(self, method: Any, url: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Ask for one thing. Raises requests.RequestException, also where it is too much or takes too long.

        A provider that is slow keeps two of those who wait, and all slow ones together three: the others are told at
        once, and the threads of the pages are everybody else's.
        """
        with (
            _place(_hosts.setdefault(urlsplit(url).netloc, threading.BoundedSemaphore(EACH))),
            _place(_everybody),
        ):
            asked = _pool.submit(self._ask, method, url, kwargs)
            try:
                return asked.result(WHOLE_SECONDS)
            except Overdue:
                raise requests.Timeout("The provider took too long.") from None

    def _ask(self, method: str, url: str, kwargs: dict[str, Any]) -> requests.Response:
        kwargs |= {
            "allow_redirects": False,
            "stream": True,
            "timeout": (CONNECT_SECONDS, SILENCE_SECONDS),
            "headers": {**(kwargs.get("headers") or {}), "Accept": "application/json"},
        }
        with super().request(method, url, **kwargs) as response:
            if response.is_redirect:
                raise requests.TooManyRedirects("The provider sends us elsewhere.")
            body, end = bytearray(), time.monotonic() + WHOLE_SECONDS
            for piece in response.iter_content(None):  # as it comes, so that one who drips is let go
                body += piece
                if time.monotonic() > end:
                    raise requests.Timeout("The provider took too long.")
                if len(body) > MOST_BYTES:
                    raise requests.RequestException("The provider sent too much.")
            response._content = bytes(body)
            return response
