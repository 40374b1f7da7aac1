"""Carrying on an unfinished answer, for the providers that can and for those that must be asked.

Mistral takes a last assistant message marked `prefix`; elsewhere a user message has to ask. Either way
the answer may begin by repeating what is already there, which a reader of the conversation must not see.
"""

from typing import Any

from conversations.providers.documents import quoted
from conversations.providers.events import ChatRequest
from conversations.providers.text import clean

CONTINUE_REQUEST = (
    "Continue exactly where your last message stopped. Begin with the very next character, "
    "repeat nothing, and do not comment on the interruption."
)


def is_continuation(request: ChatRequest) -> bool:
    """Tell whether there is an unfinished answer that can be carried on."""
    last = request.messages[-1] if request.messages else None
    return request.continue_last and last is not None and last.role == "assistant" and bool(last.text.strip())


def turns(request: ChatRequest, *, prefix: bool, files: bool = False) -> list[dict[str, Any]]:
    """Return the messages as every wire writes them: a role and plain text, the system prompt first. What is attached
    stands in the text, but for a wire that sends `files` apart.

    Empty turns, such as an answer stopped before its first word, are left out since providers refuse
    them. `prefix` says that the wire can mark the last answer as the beginning of the next.
    """
    messages: list[dict[str, Any]] = [{"role": "system", "content": clean(request.system)}] * bool(
        request.system
    )
    messages += [
        {"role": each.role, "content": clean(each.text if files else quoted(each))}
        for each in request.messages
        if each.text.strip()
    ]
    if is_continuation(request):
        if prefix:
            messages[-1]["prefix"] = True
        else:
            messages.append({"role": "user", "content": CONTINUE_REQUEST})
    return messages


class Repetition:
    """Drops the unfinished answer from the start of its continuation, should it be repeated whole."""

    __slots__ = ("_expected", "_held")

    def __init__(self, expected: str) -> None:
        self._expected = expected
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return the text that is certainly new; hold it back while it could still be repetition."""
        if not self._expected:
            return piece
        self._held += piece
        if self._held.startswith(self._expected):
            fresh = self._held[len(self._expected) :]
        elif self._expected.startswith(self._held):
            return ""
        else:
            fresh = self._held
        self._expected = self._held = ""
        return fresh

    def flush(self) -> str:
        """Return what was held back, for an answer that ended undecided."""
        held, self._held = self._held, ""
        return held
