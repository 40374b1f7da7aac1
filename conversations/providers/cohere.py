"""The wire of Cohere's chat API, version 2: address, body, events, ranges, models, errors. Pure, no I/O.

Facts are those of Cohere's API reference and its Python SDK. The API refuses unknown keys, has names
of its own for some parameters, and lists its models under version 1.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from conversations.providers import capabilities, continuing, failures, parameters
from conversations.providers.addressing import versioned
from conversations.providers.events import (
    ChatRequest,
    Citation,
    Endpoint,
    ErrorKind,
    Finished,
    FinishReason,
    ModelInfo,
    Parameters,
    ProviderError,
    ReasoningDelta,
    TextDelta,
    UsageReport,
)
from conversations.providers.fields import count, label, mapping, sequence, string
from conversations.providers.parameters import LONGEST, Accepted, Range
from conversations.providers.passages import passages
from conversations.providers.reading import AnswerError, Delta, Json, Reader, Standing
from conversations.providers.text import clean

RETRIED = failures.RETRIED | {409}

_TRIAL_WAIT = 60.0
_OF_TEXT = "TEXT_CONTENT"
_LONGEST = 10_000  # characters of words that are cited
_NAMES = {
    "temperature": "temperature",
    "top_p": "p",
    "k": "k",
    "max_tokens": "max_tokens",
    "stop": "stop_sequences",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
ACCEPTED = Accepted(
    "Cohere",
    {
        "temperature": Range(0, 1),
        "top_p": Range(0.01, 0.99),
        "k": Range(0, 500, whole=True),
        "max_tokens": Range(1, LONGEST, whole=True),
        "seed": Range(0, 2**64 - 1, whole=True),
        "presence_penalty": Range(0, 1),
        "frequency_penalty": Range(0, 1),
    },
    stops=5,
)
_REASONS = {
    "COMPLETE": FinishReason.COMPLETE,
    "STOP_SEQUENCE": FinishReason.COMPLETE,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL,
    "ERROR": FinishReason.ERROR,
    "TIMEOUT": FinishReason.TIMEOUT,
    # Version 1 and older gateways.
    "ERROR_TOXIC": FinishReason.FILTERED,
    "ERROR_LIMIT": FinishReason.CONTEXT,
    "USER_CANCEL": FinishReason.CANCELLED,
}


def chat_url(endpoint: Endpoint) -> str:
    """Return the address of the chat call."""
    return versioned(endpoint, "v2", replace=True) + "/chat"


def body(request: ChatRequest) -> dict[str, Any]:
    """Return the JSON body of a chat call. What is attached goes as documents, which turns citations on."""
    return {
        "model": request.model,
        "messages": continuing.turns(request, prefix=False, files=True),
        "stream": request.stream,
        **_documents(request),
        **parameters.named(request.parameters, _NAMES),
    }


def _documents(request: ChatRequest) -> Json:
    found = [
        {"id": each.id, "data": {"title": clean(each.title), "text": clean(each.text)}}
        for each in passages(request.messages)
    ]
    return {"documents": found} if found else {}


def reader() -> Reader:
    """Return a reader for one answer."""
    return _EventReader()


def failure(endpoint: Endpoint, reply: failures.Reply) -> ProviderError:
    """Turn a response that is not an answer into the error to raise.

    A trial key is limited by the minute, and its refusals name no wait.
    """
    error = failures.failure(endpoint, reply, retried=RETRIED)
    if (
        error.kind is ErrorKind.RATE_LIMITED
        and error.retry_after is None
        and "trial" in error.message.lower()
    ):
        error.retry_after = _TRIAL_WAIT
    return error


def check_parameters(chosen: Parameters) -> dict[str, str]:
    """Return a message for each field that Cohere would refuse or does not know."""
    return parameters.check(chosen, ACCEPTED)


def models_url(endpoint: Endpoint, page: str | None = None) -> str:
    """Return the address of a page of the list of chat models."""
    query = {"endpoint": "chat", "page_size": "1000"} | ({"page_token": page} if page else {})
    return versioned(endpoint, "v1", replace=True) + "/models?" + urlencode(query)


def parse_models(payload: Json) -> tuple[list[ModelInfo], str | None]:
    """Return the chat models of one page, and the token of the next page if there is one."""
    models = []
    for entry in map(mapping, sequence(payload.get("models"))):
        name = label(entry.get("name"))
        endpoints = sequence(entry.get("endpoints"))
        if (
            name is not None
            and entry.get("is_deprecated") is not True
            and (not endpoints or "chat" in endpoints)
        ):
            features = capabilities.worded(filter(None, map(label, sequence(entry.get("features")))))
            models.append(ModelInfo(name, count(entry.get("context_length")), features))
    return models, string(payload.get("next_page_token")) or None


class _EventReader:
    """Reads one answer, as a stream of typed events or as one object.

    Thinking and text are told apart by their key. Citations count from the beginning of their block, so it is noted
    where each block begins; tool calls and events of unknown type are passed over.
    """

    __slots__ = ("_begun", "_length", "standing")

    def __init__(self) -> None:
        self.standing = Standing()
        self._begun: dict[int, int] = {}  # by block, how much text stood before it
        self._length = 0

    def read(self, payload: Json) -> list[Delta]:
        kind = payload.get("type")
        if kind == "content-delta" or kind == "content-start":
            self.standing.answered = True
            found = _block(_message(payload).get("content"))
            return self._counted(found, count(payload.get("index")) or 0)
        if kind == "citation-start":
            return self._cited(_message(payload).get("citations"))
        if kind == "message-start":
            self._begin(payload)
        elif kind == "tool-plan-delta":
            return _thought(_message(payload).get("tool_plan"))
        elif kind == "message-end":
            self._begin(payload)
            self._end(mapping(payload.get("delta")))
        elif not isinstance(kind, str) or payload.get("error") or payload.get("object") == "error":
            return self._whole(payload)
        return []

    def flush(self) -> list[Delta]:
        return []

    def _begin(self, payload: Json) -> None:
        self.standing.answered = True
        self.standing.request_id = self.standing.request_id or label(payload.get("id"))

    def _end(self, ending: Json) -> None:
        self.standing.usage = _usage(mapping(ending.get("usage")))
        self.standing.finish = _finish(ending)
        self.standing.closed = True

    def _whole(self, payload: Json) -> list[Delta]:
        message = payload.get("message")
        if not isinstance(message, dict):
            if payload.get("error") or payload.get("detail") or string(message):
                raise AnswerError(payload)
            return []
        self._begin(payload)
        self._end(payload)
        content = message.get("content")
        deltas = _thought(message.get("tool_plan"))
        for index, block in enumerate([{"text": content}] if isinstance(content, str) else sequence(content)):
            deltas += self._counted(_block(block), index)
        return deltas + self._cited(message.get("citations"))

    def _counted(self, deltas: list[Delta], index: int) -> list[Delta]:
        """The same deltas, of which those of text are counted to their block."""
        for delta in deltas:
            if isinstance(delta, TextDelta):
                self._begun.setdefault(index, self._length)
                self._length += len(delta.text)
        return deltas

    def _cited(self, cited: object) -> list[Delta]:
        """Return the citations of text: one as streams have it, or a list as whole answers do."""
        found: list[Delta] = []
        for each in map(mapping, cited if isinstance(cited, list) else [cited]):
            start, end = count(each.get("start")), count(each.get("end"))
            sources = tuple(
                filter(None, (label(mapping(one).get("id")) for one in sequence(each.get("sources"))))
            )
            if start is None or end is None or not sources or each.get("type", _OF_TEXT) != _OF_TEXT:
                continue
            index = count(each.get("content_index"))
            begun = self._begun.get(index, 0) if index is not None else min(self._begun.values(), default=0)
            found.append(
                Citation(start + begun, end + begun, string(each.get("text"))[:_LONGEST], sources[:50])
            )
        return found


def _message(payload: Json) -> Json:
    return mapping(mapping(payload.get("delta")).get("message"))


def _block(content: object) -> list[Delta]:
    """Return the text or the thinking in a content block; an empty one has neither."""
    if not isinstance(content, dict):
        return []
    text = content.get("text")
    if text and isinstance(text, str):
        return [TextDelta(text)]
    return _thought(content.get("thinking"))


def _thought(value: object) -> list[Delta]:
    return [ReasoningDelta(value)] if value and isinstance(value, str) else []


def _usage(usage: Json) -> UsageReport | None:
    """Return the true token counts and the billed ones, which leave out what Cohere adds itself."""
    real, billed = mapping(usage.get("tokens")), mapping(usage.get("billed_units"))
    billed_in, billed_out = count(billed.get("input_tokens")), count(billed.get("output_tokens"))
    prompt, completion = count(real.get("input_tokens")), count(real.get("output_tokens"))
    if prompt is None and completion is None and billed_in is None and billed_out is None:
        return None
    report = UsageReport(billed_in or 0, billed_out or 0, billed_in, billed_out)
    report = report if prompt is None else replace(report, prompt_tokens=prompt)
    return report if completion is None else replace(report, completion_tokens=completion)


def _finish(ending: Json) -> Finished:
    value = ending.get("finish_reason")
    reason = _REASONS.get(value.upper()) if isinstance(value, str) else None
    if reason is FinishReason.ERROR:
        error = ending.get("error")
        return Finished(reason, string(error) or string(mapping(error).get("message")))
    return Finished(reason) if reason else Finished(FinishReason.UNKNOWN, label(value) or "")
