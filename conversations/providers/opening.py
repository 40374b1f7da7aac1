"""Sending a request until a 200 comes back or an error is certain: statuses, retries, refusals.

A request is repeated only while nothing of an answer has come, for a failed connect or for a status
that promises another outcome, so that nobody pays twice. Reading the answer is not done here.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from conversations.providers import failures, guard
from conversations.providers.events import Clocks, Endpoint, ErrorKind, ProviderError
from conversations.providers.http import BROKEN, is_before_sending, timeouts
from conversations.providers.wires import WIRES

_ERROR_BODY_LIMIT = 64 * 1024
_ERROR_BODY_TIME = 3.0
_FIRST_WAIT = 0.5
_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is repeated, and the longest wait in seconds that is worth it.

    `sleep` and `jitter` (0 to 1) are here for tests.
    """

    limit: int = 2
    longest_wait: float = 10.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

    def wait(self, attempt: int, error: ProviderError) -> float:
        """Return the wait before the next attempt: the provider's wish, else one that doubles."""
        if error.retry_after is not None:
            return error.retry_after
        return _FIRST_WAIT * (1 << attempt) * (1 + self.jitter())


DEFAULT_RETRIES = Retries()


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to a provider; without a body it is a GET. Key and question stay out of `repr`."""

    endpoint: Endpoint
    url: str
    headers: dict[str, str] = field(repr=False)
    body: dict[str, Any] | None = field(default=None, repr=False)


async def open_response(
    client: httpx.AsyncClient,
    call: Call,
    *,
    clocks: Clocks,
    deadline: float,
    retries: Retries = DEFAULT_RETRIES,
) -> httpx.Response:
    """Return a 200 response whose body is still to be read and which the caller closes.

    `deadline` is a time of the running loop for headers and waits together. Raises `ProviderError`, with no other
    error behind it: those of the transport hold the request, and with it the key.
    """
    attempt = 0
    while True:
        try:
            return await _once(client, call, clocks, deadline)
        except _FailedError as caught:
            failed = caught
        if failed.plainer is not None:
            call = failed.plainer
            continue
        wait = retries.wait(attempt, failed.error)
        in_time = asyncio.get_running_loop().time() + wait < deadline
        if not failed.repeat or attempt >= retries.limit or wait > retries.longest_wait or not in_time:
            raise failed.error
        attempt += 1
        await retries.sleep(wait)


class _FailedError(Exception):
    """An attempt that brought no answer: its error, whether to repeat it, and how it would be plainer."""

    def __init__(self, error: ProviderError, *, repeat: bool = False, plainer: Call | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.repeat = repeat
        self.plainer = plainer


async def _once(client: httpx.AsyncClient, call: Call, clocks: Clocks, deadline: float) -> httpx.Response:
    label = call.endpoint.label
    content = _content(call)
    try:
        async with asyncio.timeout_at(deadline):
            response = await client.send(_request(client, call, content, clocks), stream=True)
            try:
                await _refuse(call, response)
            except BaseException:
                await response.aclose()
                raise
    except TimeoutError as error:
        failure = ProviderError(ErrorKind.TIMEOUT, label, "No answer began in time.", retriable=True)
        raise _FailedError(failure) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
        # A ValueError comes from the encoding of host names that are none.
        raise _FailedError(ProviderError(ErrorKind.NETWORK, label, "The address is not valid.")) from error
    except BROKEN as error:
        if guard.refused(error):
            failure = ProviderError(ErrorKind.ADDRESS, label, "Its address is not a public one.")
            raise _FailedError(failure) from error
        name = type(error.__cause__ or error).__name__
        failure = ProviderError(ErrorKind.NETWORK, label, f"The connection failed: {name}.", retriable=True)
        raise _FailedError(failure, repeat=is_before_sending(error)) from error
    return response


def _content(call: Call) -> bytes | None:
    if call.body is None:
        return None
    return json.dumps(call.body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _request(client: httpx.AsyncClient, call: Call, content: bytes | None, clocks: Clocks) -> httpx.Request:
    if content is None:
        return client.build_request("GET", call.url, headers=call.headers, timeout=timeouts(clocks))
    headers = {**call.headers, "Content-Type": "application/json", "Content-Length": str(len(content))}
    # A large body is handed over in pieces, so that sending it leaves the event loop to others.
    body = content if len(content) <= _PIECE else _pieces(content)
    return client.build_request("POST", call.url, headers=headers, content=body, timeout=timeouts(clocks))


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]


async def _refuse(call: Call, response: httpx.Response) -> None:
    """Raise `_FailedError` for a response that must not be read as an answer."""
    status = response.status_code
    packed = response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
    if status < 400:
        if status == httpx.codes.OK and not packed:
            return
        message = (
            "The response is packed, which was not asked for." if packed else "The response is no answer."
        )
        message = "The address answers with a redirect." if status >= 300 else message
        number = failures.request_id(response.headers)
        raise _FailedError(
            ProviderError(
                ErrorKind.BAD_RESPONSE, call.endpoint.label, message, status=status, request_id=number
            )
        )
    raw = b"" if packed else await _beginning(response)
    wire = WIRES[call.endpoint.wire]
    error = wire.failure(call.endpoint, failures.reply(status, response.headers, raw))
    repeat = status in wire.RETRIED and error.retriable
    raise _FailedError(error, repeat=repeat, plainer=_plainer(call, status, raw))


def _plainer(call: Call, status: int, raw: bytes) -> Call | None:
    """Return the call without the wish for usage, if the server names that wish as its objection."""
    asked = call.body or {}
    if status not in {400, 422} or b"stream_options" not in raw or "stream_options" not in asked:
        return None
    return replace(call, body={key: value for key, value in asked.items() if key != "stream_options"})


async def _beginning(response: httpx.Response) -> bytes:
    """Return the start of an error body: what comes soon and before the connection breaks is enough."""
    raw = b""
    with suppress(TimeoutError, *BROKEN):
        async with asyncio.timeout(_ERROR_BODY_TIME):
            async for data in response.aiter_raw():
                raw += data
                if len(raw) >= _ERROR_BODY_LIMIT:
                    break
    return raw[:_ERROR_BODY_LIMIT]
