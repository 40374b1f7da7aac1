"""What a wire's reader knows about an answer while it arrives, and how it reports an error in it.

Shared vocabulary of the wire modules and of `intake`; no provider's format is known here.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from conversations.providers.events import Citation, Finished, ReasoningDelta, TextDelta, UsageReport

Json = dict[str, Any]
Words = TextDelta | ReasoningDelta
Delta = Words | Citation


class AnswerError(Exception):
    """An error object came where a piece of the answer was due; `body` is that object."""

    def __init__(self, body: Json) -> None:
        super().__init__()
        self.body = body


@dataclass(slots=True)
class Standing:
    """The facts about an answer so far.

    `answered` says that at least one payload was a part of an answer, `finish` is what the finish marker
    says, and `closed` that nothing can follow any more.
    """

    request_id: str | None = None
    model: str | None = None
    usage: UsageReport | None = None
    finish: Finished | None = None
    answered: bool = False
    closed: bool = False


class Reader(Protocol):
    """Turns the payloads of one answer into deltas and keeps its standing; one reader per answer."""

    standing: Standing

    def read(self, payload: Json) -> list[Delta]:
        """Return the deltas in a payload, ignoring what is unknown in it. Raises `AnswerError`."""

    def flush(self) -> list[Delta]:
        """Return what was held back, once no more payloads come."""
