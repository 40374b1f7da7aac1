"""An answer in the true format of each wire: the payloads of a stream, and the whole as one object.

The Mistral and Cohere forms are those of the recordings, key for key; the OpenAI form is that of llama.cpp.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from conversations.providers.events import WireName
from conversations.providers.recorded.answers import Cited, Reply

Json = dict[str, Any]

_COHERE_FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS"}
DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload of a stream; `is_token` says that it carries a piece of the answer or of thinking."""

    data: str
    event: str = ""
    is_token: bool = False


def encode(payload: Payload, *, lines: bool, newline: str, comment: str = "") -> bytes:
    """Return a payload as a JSON line or as a server-sent event, with a comment before it if asked."""
    if lines:
        return f"{payload.data}{newline}".encode()
    head = f": {comment}{newline}{newline}" if comment else ""
    event = f"event: {payload.event}{newline}" if payload.event else ""
    return f"{head}{event}data: {payload.data}{newline}{newline}".encode()


def stream(wire: WireName, reply: Reply, *, include_usage: bool) -> list[Payload]:
    """Return the payloads of a stream; `include_usage` is the wish of an OpenAI-compatible client."""
    if wire == "mistral":
        return list(_mistral(reply))
    return list(_cohere(reply) if wire == "cohere" else _openai(reply, include_usage))


def whole(wire: WireName, reply: Reply) -> Json:
    """Return the answer as one object."""
    return _cohere_whole(reply) if wire == "cohere" else _chunk_whole(wire, reply)


def dump(value: object) -> str:
    """Return compact JSON; characters are escaped only where UTF-8 has no room for them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _mistral(reply: Reply) -> Iterator[Payload]:
    chunk = _chunks(reply)
    yield Payload(dump(chunk({"role": "assistant", "content": ""}, None)))
    for thought in reply.thinking:
        content = [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}]
        yield Payload(dump(chunk({"content": content}, None)), is_token=True)
    for piece in reply.pieces[:-1]:
        yield Payload(dump(chunk({"content": piece}, None)), is_token=True)
    for piece in reply.pieces[-1:] or ("",):
        usage = {"usage": _usage(reply)} if reply.finish else {}
        yield Payload(dump(chunk({"content": piece}, reply.finish) | usage), is_token=True)
    if reply.finish:
        yield Payload(DONE)


def _openai(reply: Reply, include_usage: bool) -> Iterator[Payload]:
    chunk = _chunks(reply)
    yield Payload(dump(chunk({"role": "assistant", "content": None}, None)))
    for thought in reply.thinking:
        yield Payload(dump(chunk({"reasoning_content": thought}, None)), is_token=True)
    for piece in reply.pieces:
        yield Payload(dump(chunk({"content": piece}, None)), is_token=True)
    if reply.finish:
        yield Payload(dump(chunk({}, reply.finish)))
        if include_usage:
            yield Payload(dump(chunk({}, None) | {"choices": [], "usage": _usage(reply)}))
        yield Payload(DONE)


def _cohere(reply: Reply) -> Iterator[Payload]:
    start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield _event({"id": reply.id, "type": "message-start", "delta": {"message": start}})
    index = 0
    for kind, pieces in (("thinking", reply.thinking), ("text", reply.pieces)):
        if pieces:
            yield from _block(index, kind, pieces)
            index += 1
    for number, cited in enumerate(reply.citations):
        citation = _citation(reply, cited) | {"content_index": index - 1}
        yield _event(
            {"type": "citation-start", "index": number, "delta": {"message": {"citations": citation}}}
        )
        yield _event({"type": "citation-end", "index": number})
    if reply.finish:
        ending = {"finish_reason": _COHERE_FINISH[reply.finish], "usage": _cohere_usage(reply)}
        yield _event({"type": "message-end", "delta": ending})
        yield Payload(DONE)


def _block(index: int, kind: str, pieces: Iterable[str]) -> Iterator[Payload]:
    def message(content: Json) -> Json:
        return {"message": {"content": content}}

    yield _event({"type": "content-start", "index": index, "delta": message({"type": kind, kind: ""})})
    for piece in pieces:
        yield _event(
            {"type": "content-delta", "index": index, "delta": message({kind: piece})}, is_token=True
        )
    yield _event({"type": "content-end", "index": index})


def _event(value: Json, *, is_token: bool = False) -> Payload:
    return Payload(dump(value), event=value["type"], is_token=is_token)


def _chunks(reply: Reply) -> Callable[[Json, str | None], Json]:
    head = {"id": reply.id, "object": "chat.completion.chunk", "created": reply.created, "model": reply.model}

    def chunk(delta: Json, finish: str | None) -> Json:
        return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    return chunk


def _chunk_whole(wire: WireName, reply: Reply) -> Json:
    message: Json = {"role": "assistant", "content": reply.text}
    thought = "".join(reply.thinking)
    if thought and wire == "mistral":
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": thought}]}
        message["content"] = [thinking, {"type": "text", "text": reply.text}]
    elif thought:
        message["reasoning_content"] = thought
    return {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
        "usage": _usage(reply),
    }


def _cohere_whole(reply: Reply) -> Json:
    blocks = (("thinking", "".join(reply.thinking)), ("text", reply.text))
    content = [{"type": kind, kind: text} for kind, text in blocks if text]
    finish = _COHERE_FINISH.get(reply.finish or "")
    message: Json = {"role": "assistant", "content": content}
    if reply.citations:
        message["citations"] = [_citation(reply, cited) for cited in reply.citations]
    return {"id": reply.id, "finish_reason": finish, "message": message, "usage": _cohere_usage(reply)}


def _citation(reply: Reply, cited: Cited) -> Json:
    sources = [
        {"type": "document", "id": each.get("id"), "document": {"id": each.get("id"), **each.get("data", {})}}
        for each in cited.documents
    ]
    words = reply.text[cited.start : cited.end]
    return {"start": cited.start, "end": cited.end, "text": words, "sources": sources, "type": "TEXT_CONTENT"}


def _usage(reply: Reply) -> Json:
    total = reply.prompt_tokens + reply.completion_tokens
    return {
        "prompt_tokens": reply.prompt_tokens,
        "total_tokens": total,
        "completion_tokens": reply.completion_tokens,
    }


def _cohere_usage(reply: Reply) -> Json:
    tokens = (reply.prompt_tokens, reply.completion_tokens)
    names = {"billed_units": reply.billed or tokens, "tokens": tokens}
    return {key: {"input_tokens": given, "output_tokens": made} for key, (given, made) in names.items()}
