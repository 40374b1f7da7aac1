"""What goes on beside a socket's receiving: tasks by name, for as long as there is a socket. Knows nothing of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Work = Coroutine[Any, Any, None]


class Tasks:
    """The tasks of one socket, each begun under the care of `guard`, which survives what they raise."""

    def __init__(self, guard: Callable[[Work], Work]) -> None:
        self._guard = guard
        self._running: dict[str, asyncio.Task[None]] = {}
        self._over = False

    def runs(self, what: str) -> bool:
        """Whether what was begun last under that name is still under way."""
        return what in self._running and not self._running[what].done()

    def begin(self, what: str, work: Work) -> None:
        """Have `work` done beside everything else."""
        if self._over:
            work.close()
        else:
            self._running[what] = asyncio.create_task(self._guard(work))

    def cancel(self, what: str) -> None:
        """End what goes by that name, where anything does."""
        if task := self._running.pop(what, None):
            task.cancel()

    def end(self) -> None:
        """End all of it, and begin nothing more."""
        self._over = True
        for task in self._running.values():
            task.cancel()
