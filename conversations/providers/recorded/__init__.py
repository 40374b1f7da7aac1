"""The upstream that replays recordings, for a first start without a key and for tests.

It speaks the three wires over real HTTP on loopback, so what is tried with it is the code that talks to
the real providers. Nothing here knows the product; nothing but tests and the start without a key uses it.
"""

from conversations.providers.recorded.app import RecordedUpstream
from conversations.providers.recorded.script import UNPACED, Pace, Script, Seen
from conversations.providers.recorded.server import RecordedServer, base_url, serve

__all__ = ["UNPACED", "Pace", "RecordedServer", "RecordedUpstream", "Script", "Seen", "base_url", "serve"]
