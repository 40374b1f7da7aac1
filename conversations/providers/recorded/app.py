"""The recorded upstream as a small ASGI app: it answers the chat and model calls of all three wires.

Each wire has a path prefix of its own, so that one server is the base address of all. Without scripts
it answers at a human pace; with scripts it does what a hostile or broken provider would.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any, get_args

from conversations.providers.events import WireName
from conversations.providers.recorded import answers, envelopes
from conversations.providers.recorded.answers import Reply
from conversations.providers.recorded.envelopes import Payload
from conversations.providers.recorded.script import UNPACED, Chooser, Log, Pace, Script, Seen

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_CHAT = {"mistral": "/v1/chat/completions", "cohere": "/v2/chat", "openai": "/v1/chat/completions"}
_MODELS = "/v1/models"
_SSE, _JSON, _JSON_LINES = "text/event-stream; charset=utf-8", "application/json", "application/stream+json"
_WINDOW = 128_000
_NAMES = {
    "mistral": ("mistral-large-latest", "mistral-small-latest", "magistral-medium-latest"),
    "cohere": ("command-r-plus-08-2024", "command-a-03-2025", "command-a-reasoning-08-2025"),
    "openai": ("recorded",),
}


@dataclass(frozen=True, slots=True)
class _Part:
    """Bytes to write at once, and whether they carry a token, which is what the pace waits for."""

    data: bytes
    is_token: bool = False


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    content_type: str
    parts: Iterable[_Part]


class RecordedUpstream:
    """The app. `scripts` are used up one a request; then `choose` is asked; then it behaves well.

    Requests for the titles of conversations have all of this and a log of their own, so that what is said of answers
    and their calls is said of these alone.
    """

    def __init__(
        self, *, pace: Pace | None = None, choose: Chooser | None = None, remember: int | None = None
    ) -> None:
        self.pace = pace or Pace()
        self.choose = choose
        self.scripts: deque[Script] = deque()
        self.choose_title: Chooser | None = None
        self.title_scripts: deque[Script] = deque()
        self.log, self.titles = Log(remember), Log(remember)

    def reset(self) -> None:
        """Forget scripts and requests, for the next test on the same server."""
        self.choose = self.choose_title = None
        self.scripts.clear()
        self.title_scripts.clear()
        self.log, self.titles = Log(None), Log(None)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, and notice when its client leaves before the end."""
        seen = await _read(scope, receive)
        for_title = _asks_for_title(seen)
        script = self._title_script(seen) if for_title else self._script(seen)
        (self.titles if for_title else self.log).add(seen)
        playing = asyncio.ensure_future(self._play(seen, script, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({playing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                playing.result()
            else:
                seen.left.set()
        finally:
            for task in (playing, leaving):
                task.cancel()
            await asyncio.gather(playing, leaving, return_exceptions=True)
            seen.over.set()

    def _title_script(self, seen: Seen) -> Script:
        if self.title_scripts:
            return self.title_scripts.popleft()
        return (self.choose_title(seen) if self.choose_title else None) or Script(pace=UNPACED)

    def _script(self, seen: Seen) -> Script:
        if self.scripts:
            return self.scripts.popleft()
        return (self.choose(seen) if self.choose else None) or Script()

    async def _play(self, seen: Seen, script: Script, send: Send) -> None:
        await asyncio.sleep(script.header_delay)
        response = _respond(seen, script)
        headers = {"content-type": response.content_type} | dict(script.headers)
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": lines})
        parts = _recut(response.parts, script.sizes) if script.sizes else response.parts
        if await self._write(seen, script, parts, send):
            await send({"type": "http.response.body", "body": b""})

    async def _write(self, seen: Seen, script: Script, parts: Iterable[_Part], send: Send) -> bool:
        """Write the body at the script's pace; false if it is to be left without its end."""
        pace = script.pace or self.pace
        start = asyncio.get_running_loop().time() + pace.first_token
        room = script.cut_after
        for part in parts:
            if part.is_token:
                if seen.tokens == script.hang_after:
                    await asyncio.Event().wait()
                await asyncio.sleep(start + seen.tokens * pace.gap - asyncio.get_running_loop().time())
                seen.tokens += 1
            data = part.data if room is None else part.data[:room]
            await send({"type": "http.response.body", "body": data, "more_body": True})
            if room is not None:
                room -= len(data)
                if room == 0:
                    return False
        return True


async def _read(scope: MutableMapping[str, Any], receive: Receive) -> Seen:
    raw, more = b"", True
    while more:
        message = await receive()
        raw += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Seen(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _asks_for_title(seen: Seen) -> bool:
    body = seen.body if isinstance(seen.body, dict) else {}
    return isinstance(body.get("messages"), list) and answers.read_question("mistral", body).for_title


def _respond(seen: Seen, script: Script) -> _Response:
    if script.raw is not None:
        kind = _SSE if script.status == 200 else _JSON
        return _Response(script.status, kind, [_Part(script.raw, is_token=True)])
    prefix, _, rest = seen.path.removeprefix("/").partition("/")
    wire = next((each for each in get_args(WireName) if each == prefix), None)
    if wire is not None and f"/{rest}" == _MODELS and seen.method == "GET":
        return _json(_models(wire))
    if wire is None or f"/{rest}" != _CHAT[wire] or seen.method != "POST":
        return _json({"object": "error", "message": "There is nothing at this address."}, 404)
    if not isinstance(seen.body, dict) or not isinstance(seen.body.get("messages"), list):
        return _json({"object": "error", "message": "The body is not a chat request."}, 400)
    reply = answers.answer(answers.read_question(wire, seen.body))
    if script.pieces is not None:
        reply = replace(reply, pieces=script.pieces, thinking=script.thinking, finish=script.finish)
        reply = replace(reply, citations=_cited(reply, script, seen.body.get("documents") or []))
    elif script.finish is None:
        reply = replace(reply, finish=None)
    if not seen.body.get("stream"):
        return _json(envelopes.whole(wire, reply), script.status)
    return _stream(wire, seen, reply, script)


def _stream(wire: WireName, seen: Seen, reply: Reply, script: Script) -> _Response:
    options = seen.body.get("stream_options")
    include_usage = isinstance(options, dict) and options.get("include_usage") is True
    payloads = envelopes.stream(wire, reply, include_usage=include_usage)
    if script.error is not None:
        payloads = list(_with_error(payloads, script))
    accept = seen.headers.get("accept", "")
    lines = wire == "cohere" and "application/json" in accept and "text/event-stream" not in accept
    if lines:
        payloads = [payload for payload in payloads if payload.data != envelopes.DONE]
    newline = "\r\n" if script.crlf else "\n"
    parts = [
        _Part(envelopes.encode(each, lines=lines, newline=newline, comment=script.comment), each.is_token)
        for each in payloads
    ]
    return _Response(script.status, _JSON_LINES if lines else _SSE, parts)


def _cited(reply: Reply, script: Script, documents: list[Any]) -> tuple[answers.Cited, ...]:
    """What a script cites of the documents that came with the request."""
    places = ((reply.text.index(words), words, number) for words, number in script.cites)
    return tuple(
        answers.Cited(start, start + len(words), (documents[number],))
        for start, words, number in places
        if number < len(documents)
    )


def _with_error(payloads: Iterable[Payload], script: Script) -> Iterator[Payload]:
    """Yield the payloads up to the token whose place an error object takes, and the error."""
    tokens = 0
    for payload in payloads:
        if payload.is_token and tokens == script.error_after:
            break
        tokens += payload.is_token
        yield payload
    yield Payload(envelopes.dump(script.error))


def _recut(parts: Iterable[_Part], sizes: tuple[int, ...]) -> Iterator[_Part]:
    body = b"".join(part.data for part in parts)
    start = 0
    for size in chain(sizes, repeat(sizes[-1])):
        if start >= len(body):
            return
        yield _Part(body[start : start + size], is_token=True)
        start += size


def _json(value: Any, status: int = 200) -> _Response:
    return _Response(status, _JSON, [_Part(envelopes.dump(value).encode(), is_token=True)])


def _models(wire: WireName) -> Any:
    if wire == "cohere":
        models = [
            {"name": name, "endpoints": ["chat"], "context_length": float(_WINDOW)} for name in _NAMES[wire]
        ]
        return {"models": models, "next_page_token": ""}
    data: list[dict[str, Any]] = [{"id": name, "object": "model"} for name in _NAMES[wire]]
    if wire == "mistral":
        able = {"completion_chat": True}
        data = [each | {"max_context_length": _WINDOW, "capabilities": able} for each in data]
    return {"object": "list", "data": data}
