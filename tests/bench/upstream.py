"""A provider that keeps time: Mistral's chat stream over HTTP, an event a token, each stamped when it is written.

A process of its own. It says its port on standard output and ends when its standard input does. `GET /stamps` gives,
by key, when each token was written and how late that was (seconds of CLOCK_MONOTONIC, which processes share), and
forgets them.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import sys
import time
from array import array
from itertools import count
from typing import cast

from tests.bench.processes import until_input_ends
from tests.bench.script import Ask

FLOOD_SLICE = 64  # tokens that an unpaced answer writes before it looks whether the line still takes them
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
)
_EVENT = (
    'data: {"id":"bench-%d","object":"chat.completion.chunk","created":1700000000,"model":"mistral-large-latest",'
    '"choices":[{"index":0,"delta":{"content":'
)
_REST = b'},"finish_reason":null}]}\n\n'


class Answer:
    """One answer on one connection."""

    def __init__(self, ask: Ask, transport: asyncio.Transport) -> None:
        self.ask = ask
        self.transport = transport
        self.written = array("d")
        self.late = array("d")
        self._pieces = ask.pieces()
        self._start = (_EVENT % ask.key).encode("ascii")

    @property
    def over(self) -> bool:
        """Every token has been written, or nobody reads them any more."""
        return len(self.written) == len(self._pieces) or self.transport.is_closing()

    def write(self, due: float) -> None:
        """Write the next token, which was to be written at `due`."""
        data = self._start + json.dumps(self._pieces[len(self.written)]).encode("ascii") + _REST
        now = time.monotonic()
        self.written.append(now)
        self.late.append(now - due)
        self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def finish(self) -> None:
        """Write the finish reason, the usage and the end of the stream."""
        usage = {
            "prompt_tokens": 10,
            "completion_tokens": self.ask.tokens,
            "total_tokens": self.ask.tokens + 10,
        }
        last = (
            json.dumps("").encode()
            + b'},"finish_reason":"stop"}],"usage":'
            + json.dumps(usage).encode()
            + b"}\n\n"
        )
        data = self._start + last + b"data: [DONE]\n\n"
        self.transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))


class Pacer:
    """Writes every token of every answer when it is due."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._due: list[tuple[float, int, Answer]] = []
        self._order = count()
        self._wake = asyncio.Event()

    def add(self, answer: Answer) -> None:
        """Begin an answer now."""
        self.answers.append(answer)
        heapq.heappush(self._due, (time.monotonic(), next(self._order), answer))
        self._wake.set()

    async def run(self) -> None:
        while True:
            if not self._due:
                self._wake.clear()
                await self._wake.wait()
            while self._due and self._due[0][0] <= time.monotonic():
                due, _, answer = heapq.heappop(self._due)
                if not answer.over:
                    answer.write(due)
                if not answer.over:
                    heapq.heappush(self._due, (due + 1 / answer.ask.rate, next(self._order), answer))
                elif not answer.transport.is_closing():
                    answer.finish()
            await asyncio.sleep(max(0.0, self._due[0][0] - time.monotonic()) if self._due else 0)


class Connection(asyncio.Protocol):
    """As much of HTTP/1.1 as a client of ours speaks: a head, a body of a told length, another request."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._held = b""
        self._writable = asyncio.Event()
        self._writable.set()
        self._floods: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, found, rest = self._held.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._held = rest[length:]
        if lines[0].startswith("GET /stamps"):
            self._stamps()
        else:
            self._answer(rest[:length])

    def _answer(self, body: bytes) -> None:
        asked = json.loads(body)
        if not asked["stream"]:  # a title: as short as they are, and at once
            self._whole({"choices": [{"message": {"content": "A title"}, "finish_reason": "stop"}]})
            return
        answer = Answer(Ask.of(asked["messages"][-1]["content"]), self._transport)
        self._transport.write(_HEAD)
        if answer.ask.rate:
            self._pacer.add(answer)
        else:
            self._pacer.answers.append(answer)
            task = asyncio.ensure_future(self._flood(answer))
            self._floods.add(task)
            task.add_done_callback(self._floods.discard)

    async def _flood(self, answer: Answer) -> None:
        while not answer.over:
            await self._writable.wait()
            for _ in range(FLOOD_SLICE):
                if not answer.over:
                    answer.write(time.monotonic())
        if not self._transport.is_closing():
            answer.finish()

    def _stamps(self) -> None:
        found = {
            answer.ask.key: [answer.written.tolist(), answer.late.tolist()] for answer in self._pacer.answers
        }
        self._pacer.answers.clear()
        self._whole(found)

    def _whole(self, value: object) -> None:
        data = json.dumps(value).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        self._transport.write(head.encode() + data)


async def main() -> None:
    """Serve until the standard input ends."""
    pacer = Pacer()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(pacer), "127.0.0.1", 0, backlog=1024
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    running = asyncio.ensure_future(pacer.run())
    await until_input_ends(sys.stdin)
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main())
