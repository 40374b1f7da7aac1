"""The answer log: one running answer's text, in memory, append-only, read from any offset.

A writer appends and finishes; any number of readers each hold a cursor. Readers that keep up are woken by a
future; a reader that does not is not waited for and finds more at its next turn. Nothing is queued per reader,
so a slow one costs no memory.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass


class Track:
    """Text that only grows, kept as the pieces it came in; offsets count characters."""

    __slots__ = ("_pieces", "_starts", "length")

    def __init__(self, text: str = "") -> None:
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self.length = 0
        self.append(text)

    def append(self, piece: str) -> None:
        if piece:
            self._pieces.append(piece)
            self._starts.append(self.length)
            self.length += len(piece)

    def since(self, offset: int) -> str:
        """What follows the first `offset` characters."""
        if offset >= self.length:
            return ""
        index = bisect_right(self._starts, offset) - 1
        first = self._pieces[index][offset - self._starts[index] :]
        return first + "".join(self._pieces[index + 1 :])


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader is, in characters of the answer and of the thinking before it."""

    text: int = 0
    reasoning: int = 0

    def advanced(self, text: str, reasoning: str) -> Cursor:
        """The place behind further text and thinking."""
        return Cursor(self.text + len(text), self.reasoning + len(reasoning))


class AnswerLog:
    """One answer while it is written. Not for use from another thread than its event loop's.

    `told` is called at each change, for who looks after many logs and is no reader of one. `at` is when the last text
    came, in seconds of the monotonic clock.
    """

    __slots__ = ("_waiters", "at", "finished", "reasoning", "text", "told")

    def __init__(self, text: str = "") -> None:
        self.text = Track(text)
        self.reasoning = Track()
        self.finished = False
        self.at = time.monotonic()
        self.told: Callable[[], None] | None = None
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def cursor(self) -> Cursor:
        """The end of what has been written."""
        return Cursor(self.text.length, self.reasoning.length)

    def append(self, *, text: str = "", reasoning: str = "") -> None:
        """Add to the answer or to the thinking, and wake the readers."""
        self.text.append(text)
        self.reasoning.append(reasoning)
        self.at = time.monotonic()
        self._wake()

    def finish(self) -> None:
        """Say that nothing more comes. The end is in the database before this is called."""
        self.finished = True
        self._wake()

    async def news(self, cursor: Cursor) -> None:
        """Return once there is something behind `cursor`, or the end."""
        while not (
            self.finished or self.text.length > cursor.text or self.reasoning.length > cursor.reasoning
        ):
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def _wake(self) -> None:
        if self.told is not None:
            self.told()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
