"""What a page is sent may be of any size; what it sends may not.

Daphne has one limit for both, and a message beyond it is not sent: it is lost, and nobody is told. A conversation with
its code can be longer than a page should ever be allowed to send. Other servers limit only what comes in.
"""

from __future__ import annotations

import sys
from typing import Any


def unlimited() -> None:
    """Have Daphne, where it is what serves, apply its limit to what comes in."""
    module = sys.modules.get("daphne.ws_protocol")
    if module is None:
        return
    protocol = module.WebSocketProtocol
    limited = protocol.sendMessage

    def send(self: Any, *message: Any, **options: Any) -> None:
        limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            limited(self, *message, **options)
        finally:
            self.maxMessagePayloadSize = limit

    protocol.sendMessage = send
