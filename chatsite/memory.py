"""How a process holds its memory. glibc gives each thread an arena of its own, and keeps what is freed in them."""

from __future__ import annotations

import contextlib
import ctypes
import threading

M_ARENA_MAX = -8  # mallopt(3)
ARENAS = 2
TRIM_EVERY = 60.0  # seconds; it takes some milliseconds, for which nobody else is given memory


def begin() -> None:
    """Have threads share a few arenas, and give back what is free once a minute; nothing with another C library."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, ARENAS)
        threading.Thread(target=_trim, args=[library.malloc_trim], name="memory", daemon=True).start()


def _trim(malloc_trim: ctypes._NamedFuncPointer) -> None:
    tick = threading.Event()
    while not tick.wait(TRIM_EVERY):
        malloc_trim(0)
