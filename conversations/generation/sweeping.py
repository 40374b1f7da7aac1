"""Which live answers nobody cares for any more. A provider's paid call is never repeated by itself: they end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

LEASE_SECONDS = 20.0


class Watch:
    """Whose heartbeat stood still for the whole of a lease while this process watched, has lost its process.

    The times in the record are compared with each other only: the clocks of several machines differ, and may jump. A
    watcher who could not look for a while knows nothing of that time, and begins anew.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since: dict[uuid.UUID, tuple[datetime, float]] = {}
        self._looked_at = now()

    def lost(self, beats: Mapping[uuid.UUID, datetime]) -> dict[uuid.UUID, datetime]:
        """Those of the live answers, given with their heartbeats, that are lost. Call it every few seconds."""
        now = self._now()
        if now - self._looked_at > LEASE_SECONDS / 2:
            self._since = {}
        self._looked_at = now
        before, self._since = self._since, {}
        for pk, beat in beats.items():
            known = before.get(pk)
            self._since[pk] = known if known is not None and known[0] == beat else (beat, now)
        return {pk: beat for pk, (beat, since) in self._since.items() if now - since >= LEASE_SECONDS}
