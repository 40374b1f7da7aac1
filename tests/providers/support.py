"""What the provider tests share: endpoints, collected events, and a server that sends raw bytes."""

import asyncio
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from importlib import resources

from conversations.providers import (
    ChatMessage,
    ChatRequest,
    Clocks,
    Endpoint,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    UsageReport,
    WireName,
    chat,
)
from conversations.providers.intake import Intake
from conversations.providers.opening import Retries
from conversations.providers.recorded import RecordedServer

KEY = "key-canary-7f3a"
ALL_WIRES: tuple[WireName, ...] = ("mistral", "cohere", "openai")
LABELS = {"mistral": "Mistral", "cohere": "Cohere", "openai": "Local"}
SSE = "text/event-stream; charset=utf-8"

MISTRAL_TEXT = (
    "Coca-Cola, often referred to as Coke, is a carbonated soft drink manufactured by The Coca-Cola Company. "
    "It was invented in the late 19th century by John Stith Pemberton and was first introduced in 1886. The "
    "drink is known for its distinctive taste, which is the result of a secret formula known as "
    '"Merchandise 7X."\n\nCoca-Cola is one of the most recognizable'
)
COHERE_TEXT = (
    "Coca-Cola is a carbonated soft drink, typically served cold. It is one of the most popular and widely "
    "recognized beverages in the world, known for its distinct taste and branding. The drink is produced by "
    "The Coca-Cola Company, a multinational beverage corporation headquartered in Atlanta, Georgia. Coca-Cola "
    "was originally created in 1886 by pharmacist John Stith Pemberton in Columbus, Georgia, and was bought "
    "out by businessman Asa Griggs Candler, whose marketing tactics led Coca-Cola to its dominance in the "
    "world market.\n\nWould you like to know about the history of Coca-Cola?"
)
MISTRAL_END: list[Event] = [UsageReport(34, 100), Finished(FinishReason.LENGTH)]
COHERE_END: list[Event] = [UsageReport(186, 124, 21, 124), Finished(FinishReason.COMPLETE)]


def recording(name: str) -> bytes:
    return (resources.files("conversations.providers") / "recordings" / name).read_bytes()


def endpoint(wire: WireName = "mistral", base_url: str = "http://127.0.0.1:9", key: str = KEY) -> Endpoint:
    return Endpoint(wire, LABELS[wire], base_url, key, local=True)


def question(text: str = "hello", *, model: str = "a-model") -> ChatRequest:
    return ChatRequest(model, (ChatMessage("user", text),))


def taken(
    wire: WireName, pieces: Iterable[bytes], content_type: str = SSE, repetition: str = ""
) -> list[Event]:
    """Return the events of a body that arrives in these pieces and then ends."""
    intake = Intake(
        endpoint(wire),
        {"content-type": content_type},
        now=time.monotonic,
        asked_at=time.monotonic() - 60,
        repetition=repetition,
    )
    events: list[Event] = []
    for piece in pieces:
        if not intake.ended:
            events += intake.feed(piece)
    return events if intake.ended else events + intake.end()


async def collect(events: AsyncIterable[Event]) -> list[Event]:
    return [event async for event in events]


def at(server: RecordedServer, wire: WireName = "mistral") -> Endpoint:
    return Endpoint(wire, LABELS[wire], server.base_url(wire), KEY, local=True)


class Waits(list[float]):
    """A sleep that only takes note."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


def retries(waits: Waits) -> Retries:
    return Retries(sleep=waits, jitter=lambda: 0.0)


async def ask(
    where: Endpoint,
    request: ChatRequest | None = None,
    clocks: Clocks | None = None,
    waits: Waits | None = None,
) -> list[Event]:
    policy = retries(Waits() if waits is None else waits)
    return await collect(chat(where, request or question(), clocks=clocks or Clocks(), retries=policy))


def text(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thinking(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


def finish(events: Sequence[Event]) -> Finished:
    """Return the finish, having checked that there is one, and that it is last."""
    ends = [event for event in events if isinstance(event, Finished)]
    assert len(ends) == 1
    assert events[-1] is ends[0]
    return ends[0]


def chunk(content: object = None, finish_reason: object = None, **more: object) -> dict[str, object]:
    """Return one chunk of a `chat.completion` stream."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """A listener that counts its connections and hands each, its request read, to a handler."""

    def __init__(self, handler: Handler) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.left = asyncio.Event()
        self._handler = handler
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")),
                b"0",
            )
            self.requests.append(head + await reader.readexactly(int(length)))
            await self._handler(reader, writer)
        writer.close()
        self._tasks.discard(task)


def head(*lines: str, status: str = "200 OK", content_type: str = SSE) -> bytes:
    """Return a response head without a length: the body ends with the connection."""
    fields = (f"HTTP/1.1 {status}", f"content-type: {content_type}", "connection: close", *lines)
    return "\r\n".join(fields).encode() + b"\r\n\r\n"


def sends(*writes: bytes) -> Handler:
    """Return a handler that writes and closes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for data in writes:
            writer.write(data)
            await writer.drain()

    return handler
