"""Reading `chat.completion` chunks and whole answers, as Mistral and OpenAI-compatible servers send them.

One reader serves both: a Mistral content may be a list of typed chunks, an OpenAI-compatible one may
come with its thinking in a key of its own or between `<think>` tags.
"""

from typing import Any

from conversations.providers.events import Finished, FinishReason, ReasoningDelta, TextDelta, UsageReport
from conversations.providers.fields import count, label, mapping, sequence, string
from conversations.providers.reading import AnswerError, Delta, Json, Standing
from conversations.providers.thinking import ThinkTags

_REASONS = {
    "stop": FinishReason.COMPLETE,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.CONTEXT,
    "tool_calls": FinishReason.TOOL,
    "function_call": FinishReason.TOOL,
    "content_filter": FinishReason.FILTERED,
    "abort": FinishReason.CANCELLED,
    "error": FinishReason.ERROR,
}


class ChunkReader:
    """Reads one answer; only the choice with index 0 is ours."""

    __slots__ = ("_tags", "standing")

    def __init__(self, *, think_tags: bool) -> None:
        self.standing = Standing()
        self._tags = ThinkTags() if think_tags else None

    def read(self, payload: Json) -> list[Delta]:
        standing = self.standing
        choices = payload.get("choices")
        if payload.get("error") or payload.get("object") == "error" or not isinstance(choices, list):
            self._refuse(payload)
            return []
        if not standing.answered:
            standing.answered = True
            standing.request_id = label(payload.get("id"))
            standing.model = label(payload.get("model"))
        if payload.get("usage"):
            standing.usage = _usage(mapping(payload["usage"])) or standing.usage
        deltas: list[Delta] = []
        for choice in choices:
            if isinstance(choice, dict) and not choice.get("index"):
                self._choice(choice, deltas)
        return deltas

    def flush(self) -> list[Delta]:
        return self._tags.flush() if self._tags else []

    def _choice(self, choice: Json, deltas: list[Delta]) -> None:
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            thinking = delta.get("reasoning_content") or delta.get("reasoning")
            if thinking and isinstance(thinking, str):
                deltas.append(ReasoningDelta(thinking))
            content = delta.get("content")
            if isinstance(content, str):
                self._text(content, deltas)
            elif content:
                self._chunks(content, deltas)
        reason = choice.get("finish_reason")
        if reason and self.standing.finish is None:
            self.standing.finish = _finish(reason)

    def _text(self, text: str, deltas: list[Delta]) -> None:
        if not text:
            return
        if self._tags:
            deltas += self._tags.feed(text)
        else:
            deltas.append(TextDelta(text))

    def _chunks(self, content: object, deltas: list[Delta]) -> None:
        """Read a list of typed chunks; references, files and unknown types carry no text."""
        for chunk in map(mapping, sequence(content)):
            if chunk.get("type") == "text":
                self._text(string(chunk.get("text")), deltas)
            elif chunk.get("type") == "thinking":
                thinking = _thinking(chunk.get("thinking"))
                if thinking:
                    deltas.append(ReasoningDelta(thinking))

    def _refuse(self, payload: Json) -> None:
        """Raise for a payload that is an error; a payload that is merely unknown passes."""
        is_error = payload.get("error") or payload.get("object") == "error" or payload.get("detail")
        if is_error or string(payload.get("message")):
            raise AnswerError(payload)


def _thinking(value: object) -> str:
    if isinstance(value, str):
        return value
    return "".join(string(part.get("text")) for part in map(mapping, sequence(value)))


def _usage(usage: Json) -> UsageReport | None:
    prompt, completion = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    if prompt is None and completion is None:
        return None
    return UsageReport(prompt or 0, completion or 0)


def _finish(value: Any) -> Finished:
    reason = _REASONS.get(value) if isinstance(value, str) else None
    if reason is not None:
        return Finished(reason)
    return Finished(FinishReason.UNKNOWN, label(value) or "")
