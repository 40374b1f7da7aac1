"""How the recorded upstream may misbehave, and what it remembers of each request.

Plain values and the waiting on them; acting them out is in `app`. The upstream runs in a thread of its
own, so everything here may be asked from any thread.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Pace:
    """When tokens come: the first after `first_token` seconds, then `rate` a second (`None`: at once)."""

    first_token: float = 0.3
    rate: float | None = 40.0

    @property
    def gap(self) -> float:
        """Return the time between two tokens in seconds."""
        return 1 / self.rate if self.rate else 0.0


UNPACED = Pace(0.0, None)


@dataclass(frozen=True, slots=True)
class Script:
    """One response, out of the ordinary where a field is set.

    `pieces` are deltas to send in the wire's own format instead of the answer to the question, `raw` is a
    body to send as it is. `sizes` re-cuts the body into writes of these sizes, the last one repeated.
    `cut_after` drops the connection after so many bytes, `hang_after` falls silent after so many tokens
    until the client leaves, `comment` stands before every event, `error` is an object that takes the
    place of the token number `error_after`. `cites` are words of the pieces, each with the number of the document
    of the request that they are said to rest on. `finish=None` ends the body cleanly without a finish marker.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    pieces: tuple[str, ...] | None = None
    thinking: tuple[str, ...] = ()
    finish: str | None = "stop"
    pace: Pace | None = None
    header_delay: float = 0.0
    sizes: tuple[int, ...] = ()
    crlf: bool = False
    comment: str = ""
    cut_after: int | None = None
    hang_after: int | None = None
    error: Mapping[str, Any] | None = None
    error_after: int = 0
    cites: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Seen:
    """A request as it came, and what became of it; `tokens` counts those sent so far."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    tokens: int = 0
    left: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    async def client_left(self, within: float = 5.0) -> bool:
        """Wait until the client has closed the connection early; false if it has not in that time."""
        return await asyncio.to_thread(self.left.wait, within)


Chooser = Callable[[Seen], Script | None]


class Log:
    """The requests seen so far, in order; the last `remember` of them where a number is given."""

    def __init__(self, remember: int | None) -> None:
        self._seen: deque[Seen] = deque(maxlen=remember)
        self._changed = threading.Condition()

    def add(self, seen: Seen) -> None:
        with self._changed:
            self._seen.append(seen)
            self._changed.notify_all()

    @property
    def requests(self) -> list[Seen]:
        with self._changed:
            return list(self._seen)

    async def arrived(self, number: int, within: float = 5.0) -> bool:
        """Wait until so many requests have come; false if they have not in that time."""
        return await asyncio.to_thread(self._wait, number, within)

    def _wait(self, number: int, within: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self._seen) >= number, within)
