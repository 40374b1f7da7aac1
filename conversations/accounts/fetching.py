"""What is fetched from a company's provider while somebody waits: little, soon, and from nowhere else.

It takes the place of the session of requests that allauth would use.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from typing import Any

import requests

CONNECT_SECONDS, SILENCE_SECONDS = 3, 5
WHOLE_SECONDS = 10  # a server that sends a byte now and then is never silent
MOST_BYTES = 512 * 1024
STUCK = 4  # at once; more wait, and give up after as long

_pool = ThreadPoolExecutor(max_workers=STUCK, thread_name_prefix="providers")


class Session(requests.Session):
    """A session without redirects, and without what the environment says of proxies and passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def request(self, method: Any, url: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Ask for one thing. Raises requests.RequestException, also where it is too much or takes too long."""
        asked = _pool.submit(self._ask, method, url, kwargs)
        try:
            return asked.result(WHOLE_SECONDS)
        except Overdue:
            asked.cancel()
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
            body = bytearray()
            for piece in response.iter_content(16 * 1024):
                body += piece
                if len(body) > MOST_BYTES:
                    raise requests.RequestException("The provider sent too much.")
            response._content = bytes(body)
            return response
