"""What a provider says when it gives no answer: error bodies, statuses and headers made one error.

The shapes read here are those documented and seen at Mistral, Cohere, llama.cpp, vLLM, Ollama and the
proxies before them. What differs between providers is in their wire modules; wording for people is in
`sentences`.
"""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from conversations.providers.events import Endpoint, ErrorKind, ProviderError
from conversations.providers.fields import label, mapping, parse_object, sequence, string

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which every wire may be asked again, before anything of an answer has come."""

_LONGEST_MESSAGE = 300
_LONGEST_WAIT = 7 * 86_400.0  # seconds; what is longer is no less a "not now"
_SHORTEST_KEY = 6  # what is shorter stands for "no key needed", and is a part of many words
_KINDS = {
    401: ErrorKind.AUTH,
    402: ErrorKind.BILLING,
    403: ErrorKind.FORBIDDEN,
    404: ErrorKind.MODEL_NOT_FOUND,
    408: ErrorKind.TIMEOUT,
    409: ErrorKind.UNAVAILABLE,
    429: ErrorKind.RATE_LIMITED,
    498: ErrorKind.BLOCKED,
    499: ErrorKind.UNAVAILABLE,
}
_CODES = {
    "1500": ErrorKind.MODEL_NOT_FOUND,
    "invalid_model": ErrorKind.MODEL_NOT_FOUND,
    "model_not_found": ErrorKind.MODEL_NOT_FOUND,
    "NotFoundError": ErrorKind.MODEL_NOT_FOUND,
    "not_found_error": ErrorKind.MODEL_NOT_FOUND,
    "exceed_context_size_error": ErrorKind.CONTEXT_LENGTH,
    "context_length_exceeded": ErrorKind.CONTEXT_LENGTH,
    "insufficient_quota": ErrorKind.BILLING,
    "authentication_error": ErrorKind.AUTH,
    "rate_limited": ErrorKind.RATE_LIMITED,
    "unavailable_error": ErrorKind.UNAVAILABLE,
}
_CODES_IN_STREAM = {
    "invalid_request_error": ErrorKind.INVALID_REQUEST,
    "BadRequestError": ErrorKind.INVALID_REQUEST,
}
_PASSING = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT})
_CONTEXT = re.compile(
    r"too many tokens|context (length|window|size)|exceeds? the (available )?context|too large for model",
    re.I,
)
_REQUEST_ID_HEADERS = ("mistral-correlation-id", "x-debug-trace-id", "x-request-id", "request-id")
_SECRETS = re.compile(r"\b(Bearer\s+\S+|sk-\S+)", re.I)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response without an answer: its JSON object, else its text as far as that says anything.

    `status` is `None` for an error object inside a 200 stream.
    """

    status: int | None
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    text: str = ""


def reply(status: int, headers: Mapping[str, str], raw: bytes) -> Reply:
    """Read the beginning of a response body, whatever it is."""
    text = raw[: 4 * _LONGEST_MESSAGE].decode("utf-8", "replace").strip()
    # A web page comes from a proxy and says nothing about the request; broken JSON says nothing at all.
    return Reply(status, headers, parse_object(raw) or {}, "" if text.startswith(("<", "{", "[")) else text)


def failure(endpoint: Endpoint, reply: Reply, *, retried: frozenset[int] = RETRIED) -> ProviderError:
    """Turn a response that is not an answer into the error to raise."""
    body = reply.body
    status = reply.status or _status_inside(body)
    message = _message(body) or reply.text
    kind = _kind(status, body, message)
    return ProviderError(
        kind,
        endpoint.label,
        redact(message, endpoint),
        status=status,
        retry_after=retry_after(reply.headers),
        request_id=request_id(reply.headers) or label(body.get("request_id")) or label(body.get("id")),
        retriable=(status is None or status in retried) and kind in _PASSING,
    )


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the provider's own number for the request, by which its support can find it."""
    return next((label(headers[name]) for name in _REQUEST_ID_HEADERS if headers.get(name)), None)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait in seconds asked for by `retry-after-ms` or `Retry-After` (seconds or a date)."""
    milliseconds = _seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _seconds(value)
    if seconds is not None or not value:
        return seconds
    try:
        return min(max(0.0, parsedate_to_datetime(value).timestamp() - time.time()), _LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return None


def redact(message: str, endpoint: Endpoint) -> str:
    """Return one line of at most 300 characters without keys."""
    if len(endpoint.api_key) >= _SHORTEST_KEY:
        message = message.replace(endpoint.api_key, "[key]")
    message = " ".join(_SECRETS.sub("[key]", message).split())
    return "".join(filter(str.isprintable, message))[:_LONGEST_MESSAGE]


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return min(value, _LONGEST_WAIT) if math.isfinite(value) and value >= 0 else None


def _status_inside(body: Mapping[str, Any]) -> int | None:
    """Return the HTTP status that an error inside a stream names as its code."""
    for code in (mapping(body.get("error")).get("code"), body.get("raw_status_code"), body.get("code")):
        if isinstance(code, int) and 400 <= code <= 599:
            return code
    return None


def _kind(status: int | None, body: Mapping[str, Any], message: str) -> ErrorKind:
    error = mapping(body.get("error"))
    codes = [str(source.get(key)) for source in (error, body) for key in ("code", "type")]
    if status is None or status < 500:
        # Inside a stream no status says more; outside, 404 with this type is not the request's fault.
        known = _CODES if status else _CODES | _CODES_IN_STREAM
        kind = next((known[code] for code in codes if code in known), None)
        if kind is not None:
            return kind
    if status in {400, 413, 422, None} and _CONTEXT.search(message):
        return ErrorKind.CONTEXT_LENGTH
    if status == 403 and "guardrail" in message.lower():
        return ErrorKind.BLOCKED
    if status is None or status >= 500:
        return ErrorKind.UNAVAILABLE
    return _KINDS.get(status, ErrorKind.INVALID_REQUEST)


def _message(body: Mapping[str, Any]) -> str:
    """Return the words of an error body, in the order in which its shapes exclude each other."""
    message, detail, error = body.get("message"), body.get("detail"), body.get("error")
    if isinstance(message, str):
        # Mistral once wrapped the whole error as JSON inside this string.
        inner = parse_object(message.encode("utf-8", "replace")) if message.startswith("{") else None
        return (inner and _message(inner)) or message
    return (
        _complaints(mapping(message).get("detail"))
        or _complaints(detail)
        or string(detail)
        or string(mapping(error).get("message"))
        or string(error)
    )


def _complaints(detail: object) -> str:
    """Return a list of validation errors as one line; what was sent is left out of it."""
    lines = []
    for each in map(mapping, sequence(detail)):
        place = ".".join(str(part) for part in sequence(each.get("loc")) if part != "body")
        lines.append(": ".join(filter(None, (place, string(each.get("msg"))))))
    return "; ".join(filter(None, lines))
