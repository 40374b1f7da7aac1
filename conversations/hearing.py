"""What a page may say on its socket: which answer it wants to see, and which frames it took in. And how much of it.

A page says little: at most this many messages. That it took in much of what it was sent is none of them, as it can say
so no oftener than it is sent as much.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable

from conversations.window import SIZE, Window

LONGEST = 64 * 1024  # characters of one message
BURST, A_SECOND = 20, 5  # messages
EARNED = SIZE // 16  # of news in one report: a page counts in UTF-16, in which a character may be two


class TooMuch(Exception):
    """A page said more than it may; `limit` is the name of what it went past."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class Ear:
    """Hears one page, from its opening on. `now` tells seconds that never go back."""

    def __init__(self, window: Window, *, now: Callable[[], float] = time.monotonic) -> None:
        self._window, self._now = window, now
        self._left, self._at = float(BURST), now()

    def hear(self, message: str | bytes) -> uuid.UUID | None:
        """Pass on what was taken in, and give back the answer that is asked for. What means nothing is None.

        Raises TooMuch.
        """
        if len(message) > LONGEST:
            raise TooMuch("socket_message_bytes")
        taken, wanted = _said(message)
        if self._window.taken(taken) < EARNED:
            now = self._now()
            self._left = min(BURST, self._left + (now - self._at) * A_SECOND)
            self._at = now
            if self._left < 1:
                raise TooMuch("socket_messages")
            self._left -= 1
        return wanted


def _said(message: str | bytes) -> tuple[int, uuid.UUID | None]:
    """The frames that were taken in, and the answer that is asked for."""
    try:
        said = json.loads(message)
        if type(frames := said.get("taken")) is int:
            return frames, None
        return 0, uuid.UUID(said["follow"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return 0, None
