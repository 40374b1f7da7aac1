"""How a process ends that is told to: its answers first. Servers offer no hook for it, so it is done by the signals.

What a server does on a signal it still does, when the answers have ended. Where nothing of this runs, as after
`kill -9`, the record is as good but for a second, and other processes or the next one see that it was left.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

from conversations import generation

logger = logging.getLogger(__name__)

PATIENCE = {signal.SIGTERM: 15.0, signal.SIGINT: 0.0}  # seconds for the answers that run to end by themselves
SERVERS_TIME = 4.0  # seconds for the server to end in

_servers: dict[int, Any] = {}  # what the server does on a signal
_task: asyncio.Task[None] | None = None


def ensure() -> None:
    """Have the signals mean this. Call it on the server's event loop, once that has its own handlers."""
    if _servers or threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def told(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(_begin, number)

    for number in PATIENCE:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as for what a shell started in the background
            _servers[number] = signal.signal(number, told)


def _begin(number: int) -> None:
    global _task
    if _task is not None:  # told a second time: at once
        _hand_over(number)
        return
    logger.info("told to end: answers that run are given %d seconds", PATIENCE[signal.Signals(number)])
    _task = asyncio.create_task(_leave(number), context=contextvars.Context())


async def _leave(number: int) -> None:
    try:
        await generation.leave(PATIENCE[signal.Signals(number)])
    finally:
        _hand_over(number)


def _hand_over(number: int) -> None:
    """Let the server end. A thread that waits for its event loop then waits for ever, and Python for the thread."""
    last = threading.Timer(SERVERS_TIME, os._exit, [0])
    last.daemon = True
    last.start()
    for each, handler in _servers.items():
        signal.signal(each, handler)
    os.kill(os.getpid(), number)
