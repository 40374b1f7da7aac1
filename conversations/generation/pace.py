"""How often a running answer is taken up: its first words at once, then what has gathered in a while.

Reading, storing and showing cost by the piece, hardly by the token. So a run rests after each piece, and what the
provider sends meanwhile waits in the connection; all readers of the answer get the larger piece at once. Where many
answers run, or the process falls behind its own clock, more gathers, which is what lets it keep up.
"""

from __future__ import annotations

import asyncio

FRAME = 0.055  # seconds between two pieces of an answer
LONGEST = 0.11  # the same at most, in a process that has much to do
TICK = FRAME / 2  # who rests wakes at one, so that the loop serves several in each of its rounds
PIECES = 500.0  # a second, of all answers, before they grow: an eighth of a processor
PATIENCE = 6.0  # by how many times its delay a process that is behind lets more gather
MEMORY = 0.05  # the weight of one delay among those before it


class Pace:
    """The rests of the answers of one process, and how late it wakes from them."""

    def __init__(self) -> None:
        self._late = 0.0

    def interval(self, running: int) -> float:
        """Seconds to rest after a piece, where so many answers run."""
        return min(LONGEST, max(FRAME, running / PIECES) + PATIENCE * self._late)

    async def rest(self, running: int) -> None:
        """Let some text gather. `running` counts the answers of this process."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = round((now + self.interval(running)) / TICK) * TICK
        await asyncio.sleep(due - now)
        self._late += MEMORY * (loop.time() - due - self._late)


PACE = Pace()
