"""Files of text that go with a question: how a model is shown them where its provider knows nothing of files.

Pure, no I/O. What is sent is the words of the question and behind them each file in a fence of its own, under its name.
"""

from __future__ import annotations

import re

from conversations.providers.events import ChatMessage

_FENCE = 3
_LONGEST_FENCE = 60
_TICKS = re.compile(r"`{3,}")

OVERHEAD = 512  # bytes that a file takes beside its text at most: its name twice, and two fences


def quoted(message: ChatMessage) -> str:
    """The text that a message is sent as, with all that is attached to it."""
    return "\n\n".join([message.text, *(fenced(each.name, each.text) for each in message.documents)])


def fenced(name: str, text: str, lead: str = "Attached file:") -> str:
    """A file below its name, between two fences that do not stand in it.

    A file of nothing but ticks ends its own, as people's may.
    """
    longest = max((len(run) for run in _TICKS.findall(text)), default=_FENCE - 1)
    fence = "`" * min(longest + 1, _LONGEST_FENCE)
    end = "" if text.endswith("\n") else "\n"
    return f"{lead} {name}\n{fence}\n{text}{end}{fence}"
