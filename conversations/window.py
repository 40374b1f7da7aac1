"""How much a socket may be sent before its page says that it took it in.

A server's buffer has no end, and sending does not wait for who reads. So pages count the frames that they have taken
in, and say so after every so many characters; a reader that falls behind is sent nothing more until it has caught up,
and then the larger piece.
"""

from __future__ import annotations

import asyncio
from collections import deque

SIZE = 256 * 1024  # characters; a page says what it took in after an eighth of it
PATIENCE = 10.0  # seconds without a word


class TooSlow(Exception):
    """Too much was sent and not taken in for too long."""


class Window:
    """The frames of one socket that are on their way."""

    def __init__(self) -> None:
        self._sizes: deque[int] = deque()
        self._under_way = 0
        self._taken = 0  # frames
        self._news = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether nothing more may be sent."""
        return self._under_way > SIZE

    async def room(self) -> None:
        """Wait until more may be sent. Raises TooSlow."""
        while self.full:
            self._news.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._news.wait()
            except TimeoutError:
                raise TooSlow from None

    def sent(self, frame: str) -> None:
        """Note a frame."""
        self._sizes.append(len(frame))
        self._under_way += len(frame)

    def taken(self, frames: int) -> int:
        """The page has taken in so many frames since its socket was opened. Gives back how many characters are news."""
        if frames <= self._taken or frames - self._taken > len(self._sizes):
            return 0  # nothing new, or nothing that could be so
        before = self._under_way
        while self._taken < frames:
            self._taken += 1
            self._under_way -= self._sizes.popleft()
        self._news.set()
        return before - self._under_way
