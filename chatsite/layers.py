"""What carries announcements within one process."""

from __future__ import annotations

import time
from typing import Any

from channels.layers import InMemoryChannelLayer

CLEAN_EVERY = 10.0  # seconds


class InMemoryLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """Channels' own, which looks through all that every socket was sent, and all groups, at each message to any."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._cleaned_at = 0.0

    def _clean_expired(self) -> None:
        now = time.monotonic()
        if now - self._cleaned_at >= CLEAN_EVERY:
            self._cleaned_at = now
            super()._clean_expired()
