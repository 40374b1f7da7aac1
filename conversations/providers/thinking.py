"""Taking `<think>...</think>` at the start of an answer for what it is: thinking, not the answer."""

from conversations.providers.events import ReasoningDelta, TextDelta
from conversations.providers.reading import Delta

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkTags:
    """Splits text that arrives in pieces; a tag may be spread over several of them.

    Only a tag before the first visible character counts: later ones are part of what the model writes.
    """

    __slots__ = ("_held", "_step")

    def __init__(self) -> None:
        self._held = ""
        self._step = self._start

    def feed(self, piece: str) -> list[Delta]:
        """Return the deltas that are certain so far."""
        return self._step(piece)

    def flush(self) -> list[Delta]:
        """Return what was held back, for an answer that ended in the middle of a tag."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [ReasoningDelta(held) if self._step == self._thinking else TextDelta(held)]

    def _start(self, piece: str) -> list[Delta]:
        self._held += piece
        begun = self._held.lstrip()
        if begun.startswith(_OPEN):
            self._held = ""
            self._step = self._thinking
            return self._thinking(begun[len(_OPEN) :])
        if _OPEN.startswith(begun):
            return []
        held, self._held = self._held, ""
        self._step = self._answer
        return [TextDelta(held)]

    def _thinking(self, piece: str) -> list[Delta]:
        thought, closed, rest = (self._held + piece).partition(_CLOSE)
        if closed:
            self._held = ""
            self._step = self._gap
            return self._thought(thought) + self._gap(rest)
        size = next((n for n in range(len(_CLOSE) - 1, 0, -1) if thought.endswith(_CLOSE[:n])), 0)
        keep = len(thought) - size
        self._held = thought[keep:]
        return self._thought(thought[:keep])

    def _gap(self, piece: str) -> list[Delta]:
        """Drop the blank lines between the thinking and the answer."""
        text = piece.lstrip()
        if not text:
            return []
        self._step = self._answer
        return [TextDelta(text)]

    def _answer(self, piece: str) -> list[Delta]:
        return [TextDelta(piece)]

    @staticmethod
    def _thought(text: str) -> list[Delta]:
        return [ReasoningDelta(text)] if text else []
