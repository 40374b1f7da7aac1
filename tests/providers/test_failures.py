"""Every status and error body that a provider is known for has its error and its sentence."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.providers import (
    WIRES,
    ErrorKind,
    ProviderError,
    WireName,
    error_sentence,
)
from conversations.providers.failures import reply, retry_after
from tests.providers.support import ALL_WIRES, KEY, endpoint
from tests.providers.test_sentences import SENTENCES

DETAIL = [
    {
        "type": "extra_forbidden",
        "loc": ["body", "seed"],
        "msg": "Extra inputs are not permitted",
        "input": "my prompt",
    }
]
SAID = "seed: Extra inputs are not permitted"

Body = tuple[str, object]


def flat(message: str, **more: object) -> Body:
    return message, {"object": "error", "message": message, "param": None, **more}


def wrapped(message: str, **more: object) -> Body:
    return message, {"error": {"message": message, **more}}


def said(message: str, **more: object) -> Body:
    return message, {"message": message, **more}


def plain(raw: bytes, message: str = "") -> Body:
    return message, raw


CASES: list[tuple[WireName, int, Body, ErrorKind, bool]] = [
    (
        "mistral",
        400,
        flat("Invalid model: x", type="invalid_model", code="1500"),
        ErrorKind.MODEL_NOT_FOUND,
        False,
    ),
    ("mistral", 400, flat("Expected last role User or Tool", code="3230"), ErrorKind.INVALID_REQUEST, False),
    (
        "mistral",
        400,
        flat("40000 tokens, too large for model with 32768", code="3051"),
        ErrorKind.CONTEXT_LENGTH,
        False,
    ),
    ("mistral", 401, ("Unauthorized", {"detail": "Unauthorized"}), ErrorKind.AUTH, False),
    ("mistral", 401, said("Unauthorized", request_id="r-1"), ErrorKind.AUTH, False),
    ("mistral", 402, said("Payment required"), ErrorKind.BILLING, False),
    ("mistral", 403, said("No access to this model"), ErrorKind.FORBIDDEN, False),
    ("mistral", 403, said("Refused by guardrails"), ErrorKind.BLOCKED, False),
    ("mistral", 404, ("Not Found", {"detail": "Not Found"}), ErrorKind.MODEL_NOT_FOUND, False),
    ("mistral", 422, (SAID, {"detail": DETAIL}), ErrorKind.INVALID_REQUEST, False),
    (
        "mistral",
        422,
        (SAID, {"object": "error", "message": {"detail": DETAIL}}),
        ErrorKind.INVALID_REQUEST,
        False,
    ),
    ("mistral", 422, (SAID, {"message": json.dumps({"detail": DETAIL})}), ErrorKind.INVALID_REQUEST, False),
    (
        "mistral",
        429,
        flat("Rate limit exceeded", type="rate_limited", code="1300"),
        ErrorKind.RATE_LIMITED,
        True,
    ),
    ("mistral", 429, said("Service tier capacity exceeded for this model."), ErrorKind.RATE_LIMITED, True),
    ("mistral", 500, flat("oh no"), ErrorKind.UNAVAILABLE, True),
    ("mistral", 502, plain(b"<html><h1>Bad gateway</h1></html>"), ErrorKind.UNAVAILABLE, True),
    ("mistral", 503, plain(b"overloaded", "overloaded"), ErrorKind.UNAVAILABLE, True),
    ("mistral", 504, plain(b""), ErrorKind.UNAVAILABLE, True),
    ("mistral", 408, plain(b""), ErrorKind.TIMEOUT, True),
    ("cohere", 400, said("invalid request: not supported", id="11864227"), ErrorKind.INVALID_REQUEST, False),
    ("cohere", 400, said("too many tokens: size limit exceeded"), ErrorKind.CONTEXT_LENGTH, False),
    ("cohere", 401, said("invalid api token"), ErrorKind.AUTH, False),
    ("cohere", 402, said("billing limit"), ErrorKind.BILLING, False),
    ("cohere", 403, said("no permission"), ErrorKind.FORBIDDEN, False),
    ("cohere", 404, said("model 'x' not found, make sure of it"), ErrorKind.MODEL_NOT_FOUND, False),
    ("cohere", 409, said("conflict"), ErrorKind.UNAVAILABLE, True),
    ("cohere", 422, said("unknown field: see https://docs.cohere.com/x"), ErrorKind.INVALID_REQUEST, False),
    (
        "cohere",
        429,
        said("You are past the per minute request limit", data=None),
        ErrorKind.RATE_LIMITED,
        True,
    ),
    ("cohere", 498, said("denied token"), ErrorKind.BLOCKED, False),
    ("cohere", 499, said("request cancelled"), ErrorKind.UNAVAILABLE, False),
    ("cohere", 500, said("internal"), ErrorKind.UNAVAILABLE, True),
    ("cohere", 501, said("not implemented"), ErrorKind.UNAVAILABLE, False),
    (
        "openai",
        400,
        wrapped("too long", type="exceed_context_size_error", code=400),
        ErrorKind.CONTEXT_LENGTH,
        False,
    ),
    (
        "openai",
        400,
        wrapped("bad", type="invalid_request_error", code=None),
        ErrorKind.INVALID_REQUEST,
        False,
    ),
    ("openai", 401, wrapped("Invalid API Key", type="authentication_error", code=401), ErrorKind.AUTH, False),
    (
        "openai",
        404,
        wrapped("No such model", type="NotFoundError", code=404),
        ErrorKind.MODEL_NOT_FOUND,
        False,
    ),
    ("openai", 404, wrapped("model 'x' not found", type="not_found_error"), ErrorKind.MODEL_NOT_FOUND, False),
    ("openai", 429, wrapped("You exceeded your quota", code="insufficient_quota"), ErrorKind.BILLING, False),
    ("openai", 500, wrapped("image input is not supported", code=500), ErrorKind.UNAVAILABLE, True),
    ("openai", 503, wrapped("Loading model", type="unavailable_error"), ErrorKind.UNAVAILABLE, True),
    ("openai", 400, ("just words", {"error": "just words"}), ErrorKind.INVALID_REQUEST, False),
    ("openai", 418, plain(b"teapot", "teapot"), ErrorKind.INVALID_REQUEST, False),
    ("openai", 413, plain(b'{"broken'), ErrorKind.INVALID_REQUEST, False),
]


def failed(wire: WireName, status: int, body: object, headers: dict[str, str] | None = None) -> ProviderError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WIRES[wire].failure(endpoint(wire), reply(status, headers or {}, raw))


@pytest.mark.parametrize(("wire", "status", "body", "kind", "retriable"), CASES)
def test_known_errors(wire: WireName, status: int, body: Body, kind: ErrorKind, retriable: bool) -> None:
    message, sent = body
    error = failed(wire, status, sent)
    assert (error.kind, error.status, error.message, error.retriable) == (kind, status, message, retriable)
    sentence = error_sentence(error)
    assert ("stopped the request" if status == 499 else SENTENCES[kind]) in sentence
    assert "://" not in sentence
    assert "my prompt" not in sentence
    # The provider's words are for those who can act on them.
    if kind is not ErrorKind.INVALID_REQUEST:
        assert not message or message not in sentence
    else:
        assert message.split(" https")[0] in sentence


def test_request_ids() -> None:
    assert failed("mistral", 401, {"message": "x", "request_id": "r-1"}).request_id == "r-1"
    assert failed("cohere", 400, {"message": "x", "id": "c-1"}).request_id == "c-1"
    assert failed("mistral", 400, {"id": "b"}, {"mistral-correlation-id": "m-1"}).request_id == "m-1"
    assert failed("cohere", 400, {}, {"x-debug-trace-id": "t\x07-1"}).request_id == "t-1"


@pytest.mark.parametrize("wire", ALL_WIRES)
def test_keys_and_length(wire: WireName) -> None:
    error = failed(wire, 400, {"message": f"key {KEY} and Bearer abc.def\r\n and sk-proj-123 " + "x" * 400})
    assert error.message.startswith("key [key] and [key] and [key] xxx")
    assert len(error.message) == 300
    for shown in (str(error), repr(error), error_sentence(error)):
        assert KEY not in shown


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 500}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers) == expected


def test_retry_after_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    wait = retry_after({"retry-after": date})
    assert wait is not None
    assert 3590 < wait <= 3600


def test_a_trial_key_waits_a_minute() -> None:
    body = {"message": "You are using a Trial key, which is limited to 20 API calls / minute."}
    assert failed("cohere", 429, body).retry_after == 60
    assert failed("cohere", 429, body, {"retry-after": "3"}).retry_after == 3
    assert failed("cohere", 429, {"message": "slow down"}).retry_after is None


@given(st.sampled_from(ALL_WIRES), st.integers(400, 599), st.binary(max_size=200))
def test_no_body_breaks_it(wire: WireName, status: int, raw: bytes) -> None:
    assert error_sentence(failed(wire, status, raw))


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["message", "detail", "error", "code", "type", "loc", "msg", "id"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(ALL_WIRES), st.sampled_from([400, 403, 422, 429, 500]), ODD)
def test_no_shape_breaks_it(wire: WireName, status: int, body: object) -> None:
    assert error_sentence(failed(wire, status, body))
