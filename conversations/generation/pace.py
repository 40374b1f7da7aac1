"""How often a running answer is taken up: its first words at once, then what has gathered in a while.

Reading, storing and showing cost by the piece, hardly by the token. So a run rests after each piece, and what the
provider sends meanwhile waits in the connection; all readers of the answer get the larger piece at once. A process
that falls behind its own clock lets more gather, which is what makes it catch up.
"""

from __future__ import annotations

import asyncio

FRAME = 0.05  # seconds between two pieces of an answer
LONGEST = 0.1  # the same in a process that is behind
PATIENCE = 6.0  # by how many times its delay a process that is behind lets more gather
MEMORY = 0.05  # the weight of one delay among those before it


class Pace:
    """The rests of the answers of one process, and how late it wakes from them."""

    def __init__(self) -> None:
        self._late = 0.0

    @property
    def interval(self) -> float:
        """Seconds to rest after a piece."""
        return min(LONGEST, FRAME + PATIENCE * self._late)

    async def rest(self) -> None:
        """Let some text gather."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self.interval
        await asyncio.sleep(self.interval)
        self._late += MEMORY * (loop.time() - due - self._late)


PACE = Pace()
