"""Asking a provider: one streamed answer, one whole answer, the list of models.

Here are the clocks and the sockets. A request runs as long as somebody reads it: closing the generator,
or cancelling the task in it, closes the upstream connection at once, which is how a provider is told to
stop. Wrap `chat` in `contextlib.aclosing` wherever the loop over it may be left early.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, NamedTuple

import httpx
from httpx_aiohttp.transport import AiohttpResponseStream

from conversations.providers.addressing import headers
from conversations.providers.continuing import is_continuation
from conversations.providers.events import (
    DEFAULT_CLOCKS,
    Answer,
    ChatRequest,
    Clocks,
    Endpoint,
    ErrorKind,
    Event,
    Finished,
    FinishReason,
    ModelInfo,
    ProviderError,
    ReasoningDelta,
    ResponseStarted,
    TextDelta,
    UsageReport,
)
from conversations.providers.fields import parse_object
from conversations.providers.http import BROKEN, shared_client
from conversations.providers.intake import Intake
from conversations.providers.opening import DEFAULT_RETRIES, Call, Retries, open_response
from conversations.providers.wires import WIRES

_AFTER_FINISH = 2.0
_MEETING = 0.05
_AGAIN = 0.05
_PAGES = 20
_LIST_LIMIT = 4 * 1024 * 1024


async def chat(
    endpoint: Endpoint,
    request: ChatRequest,
    *,
    clocks: Clocks = DEFAULT_CLOCKS,
    client: httpx.AsyncClient | None = None,
    retries: Retries = DEFAULT_RETRIES,
) -> AsyncGenerator[Event, None]:
    """Yield the events of one answer: `ResponseStarted` first, `Finished` last, each exactly once.

    Raises `ProviderError` where no content came. After content there is no error any more: the answer
    is then finished as `interrupted` or `error`.
    """
    gathered = batches(endpoint, request, clocks=clocks, client=client, retries=retries)
    async with aclosing(gathered):
        async for batch in gathered:
            for event in batch.events:
                yield event


class Batch(NamedTuple):
    """The events that one reading of the connection completed, maybe none; `more` where it held more than that."""

    events: list[Event]
    more: bool


async def batches(
    endpoint: Endpoint,
    request: ChatRequest,
    *,
    clocks: Clocks = DEFAULT_CLOCKS,
    client: httpx.AsyncClient | None = None,
    retries: Retries = DEFAULT_RETRIES,
) -> AsyncGenerator[Batch, None]:
    """Yield the events of `chat` as each reading of the connection completes them.

    Who waits before asking for the next finds more in it: what arrives meanwhile is kept by the connection, which
    slows the provider down before it becomes much.
    """
    loop = asyncio.get_running_loop()
    watch = _Watch(clocks, loop.time())
    call = _chat_call(endpoint, request)
    client = client or await shared_client(local=endpoint.local)
    response = await open_response(client, call, clocks=clocks, deadline=watch.deadline, retries=retries)
    repetition = request.messages[-1].text if is_continuation(request) else ""
    intake = Intake(endpoint, response.headers, now=loop.time, asked_at=watch.asked_at, repetition=repetition)
    body = response.aiter_raw()
    alarm = _Alarm(watch)
    try:
        while not intake.ended:
            pieces = intake.pieces
            yield await _next_batch(body, intake, alarm)
            if intake.finishing:
                watch.finishing(loop.time())
            elif intake.pieces > pieces:
                # Counted from here, so that a slow reader of these events is not the provider's silence.
                watch.heard(loop.time())
        if intake.finishing:
            await _meet_end(body)
    finally:
        alarm.end()
        await response.aclose()


async def complete(
    endpoint: Endpoint,
    request: ChatRequest,
    *,
    clocks: Clocks = DEFAULT_CLOCKS,
    client: httpx.AsyncClient | None = None,
    retries: Retries = DEFAULT_RETRIES,
) -> Answer:
    """Return one whole answer, asked for without streaming. Raises `ProviderError` like `chat`.

    Its first byte comes with its last, so only the total time counts.
    """
    text, reasoning = [], []
    started, usage = ResponseStarted(None, None), None
    finish = Finished(FinishReason.UNKNOWN)
    whole = replace(clocks, first_token=clocks.total)
    async for event in chat(
        endpoint, replace(request, stream=False), clocks=whole, client=client, retries=retries
    ):
        match event:
            case TextDelta(piece):
                text.append(piece)
            case ReasoningDelta(piece):
                reasoning.append(piece)
            case UsageReport():
                usage = event
            case ResponseStarted():
                started = event
            case Finished():
                finish = event
    return Answer("".join(text), "".join(reasoning), usage, finish, started.request_id, started.model)


async def list_models(
    endpoint: Endpoint,
    *,
    clocks: Clocks = DEFAULT_CLOCKS,
    client: httpx.AsyncClient | None = None,
    retries: Retries = DEFAULT_RETRIES,
) -> list[ModelInfo]:
    """Return the chat models that the provider lists. Raises `ProviderError`."""
    wire = WIRES[endpoint.wire]
    client = client or await shared_client(local=endpoint.local)
    deadline = asyncio.get_running_loop().time() + clocks.first_token
    models: list[ModelInfo] = []
    page: str | None = None
    for _ in range(_PAGES):
        call = Call(endpoint, wire.models_url(endpoint, page), headers(endpoint, accept="application/json"))
        response = await open_response(client, call, clocks=clocks, deadline=deadline, retries=retries)
        found, page = wire.parse_models(await _whole_body(endpoint, response, deadline))
        models += found
        if page is None:
            break
    return models


class _Watch:
    """The clocks of one answer, in times of the event loop.

    One deadline is in force at a time: for the first content, for the next, or, once the finish marker
    is there, for the little that may follow it; and never later than the end of the total time.
    """

    __slots__ = ("_clocks", "_end", "_finishing", "_heard", "asked_at", "deadline")

    def __init__(self, clocks: Clocks, now: float) -> None:
        self.asked_at = now
        self._clocks = clocks
        self._end = now + clocks.total
        self._heard = False
        self._finishing = False
        self.deadline = min(now + clocks.first_token, self._end)

    def heard(self, now: float) -> None:
        """Content came: the next is due within the time of silence."""
        self._heard = True
        self.deadline = min(now + self._clocks.silence, self._end)

    def finishing(self, now: float) -> None:
        """The finish marker came: a server that keeps the connection open is not waited for."""
        if not self._finishing:
            self._finishing = True
            self.deadline = min(now + _AFTER_FINISH, self._end)

    def cause(self) -> str:
        """Return which clock ran out, as the detail of an interrupted answer."""
        if self.deadline >= self._end:
            return f"the time limit of {self._clocks.total:g} seconds was reached"
        if self._heard:
            return f"nothing more came for {self._clocks.silence:g} seconds"
        return f"nothing came within {self._clocks.first_token:g} seconds"


class _Alarm:
    """Ends a reading that outlasts the deadline of its watch.

    `asyncio.timeout_at` sets a timer and takes it back for each reading. This one leaves it, and looks at the deadline,
    which has mostly moved on, only when it rings.
    """

    __slots__ = ("_loop", "_rang", "_reading", "_timer", "watch")

    def __init__(self, watch: _Watch) -> None:
        self.watch = watch
        self._loop = asyncio.get_running_loop()
        self._reading: asyncio.Task[Any] | None = None
        self._rang = False
        self._timer = self._loop.call_at(watch.deadline, self._look)

    async def read(self, body: AsyncIterator[bytes]) -> bytes | None:
        """Return the next bytes of `body`, None at its end. Raises TimeoutError."""
        if self._timer.when() > self.watch.deadline:
            self._set(self.watch.deadline)
        self._reading = asyncio.current_task()
        try:
            return await anext(body, None)
        except asyncio.CancelledError as error:
            if self._rang and self._reading is not None and self._reading.uncancel() == 0:
                raise TimeoutError from error
            raise
        finally:
            self._reading = None

    def end(self) -> None:
        """Ring no more."""
        self._timer.cancel()

    def _set(self, when: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        if now < self.watch.deadline:
            self._set(self.watch.deadline)
        elif self._reading is None:
            self._set(now + _AGAIN)
        else:
            self._rang = True
            self._reading.cancel()


def _chat_call(endpoint: Endpoint, request: ChatRequest) -> Call:
    wire = WIRES[endpoint.wire]
    accept = "text/event-stream" if request.stream else "application/json"
    return Call(endpoint, wire.chat_url(endpoint), headers(endpoint, accept=accept), wire.body(request))


async def _next_batch(body: AsyncIterator[bytes], intake: Intake, alarm: _Alarm) -> Batch:
    """Read once and return what that completes, or the last events if nothing can be read any more."""
    try:
        data = await alarm.read(body)
    except TimeoutError:
        return Batch(intake.cut(ErrorKind.TIMEOUT, alarm.watch.cause()), more=False)
    except BROKEN:
        return Batch(intake.cut(ErrorKind.NETWORK, "the connection broke"), more=False)
    more = data is not None and len(data) >= AiohttpResponseStream.CHUNK_SIZE
    return Batch(intake.end() if data is None else intake.feed(data), more)


async def _meet_end(body: AsyncIterator[bytes]) -> None:
    """Meet the end of the body, which is about to come: only then can the connection serve again."""
    with suppress(TimeoutError, *BROKEN):
        async with asyncio.timeout(_MEETING):
            async for _ in body:
                pass


async def _whole_body(endpoint: Endpoint, response: httpx.Response, deadline: float) -> dict[str, Any]:
    """Return the JSON object that a response holds, and close it. Raises `ProviderError`."""
    raw = bytearray()
    broken: ErrorKind | None = None
    try:
        async with asyncio.timeout_at(deadline):
            async for data in response.aiter_raw():
                raw += data
                if len(raw) > _LIST_LIMIT:
                    break
    except (TimeoutError, *BROKEN) as error:
        broken = ErrorKind.TIMEOUT if isinstance(error, TimeoutError) else ErrorKind.NETWORK
    finally:
        await response.aclose()
    if broken is not None:  # raised here, so that no error hangs on it that knows the request and its key
        raise ProviderError(broken, endpoint.label, retriable=True)
    payload = parse_object(bytes(raw)) if len(raw) <= _LIST_LIMIT else None
    if payload is None:
        raise ProviderError(ErrorKind.BAD_RESPONSE, endpoint.label, "The list cannot be read.", status=200)
    return payload
