"""Every cut of a body gives the same payloads, and nothing but LF, CRLF and CR ends a line."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.providers import Event, WireName
from conversations.providers.framing import EVENT_LIMIT, LINE_LIMIT, Framer, OversizeError
from tests.providers.support import (
    COHERE_END,
    COHERE_TEXT,
    MISTRAL_END,
    MISTRAL_TEXT,
    SSE,
    chunk,
    recording,
    taken,
    text,
)

RECORDINGS: list[tuple[WireName, str, str, str, list[Event]]] = [
    ("mistral", "mistral-chat.stream.txt", SSE, MISTRAL_TEXT, MISTRAL_END),
    ("cohere", "cohere-chat.stream.jsonl", "application/stream+json", COHERE_TEXT, COHERE_END),
]


def payloads(*pieces: bytes, content_type: str = SSE) -> list[bytes]:
    framer = Framer(content_type)
    return [payload for piece in pieces for payload in framer.feed(piece)] + framer.end()


def variants(body: bytes, *, events: bool) -> list[bytes]:
    crlf = body.replace(b"\n", b"\r\n")
    bare_cr = body.replace(b"\n", b"\r")
    bom = b"\xef\xbb\xbf" + body
    commented = body.replace(b"data:", b": keep-alive\n\n: PROCESSING\ndata:")
    return [body, crlf, bare_cr, bom] + ([commented] if events else [])


@pytest.mark.parametrize(("wire", "name", "content_type", "expected", "end"), RECORDINGS)
def test_recordings_cut_anywhere(
    wire: WireName, name: str, content_type: str, expected: str, end: list[Event]
) -> None:
    original = taken(wire, [recording(name)], content_type)
    assert text(original) == expected
    assert original[-2:] == end
    for body in variants(recording(name), events=wire == "mistral"):
        for position in range(1024):
            assert taken(wire, [body[:position], body[position:]], content_type) == original


@pytest.mark.parametrize(("wire", "name", "content_type", "expected", "end"), RECORDINGS)
@pytest.mark.parametrize("seed", range(8))
def test_recordings_in_random_reads(
    wire: WireName, name: str, content_type: str, expected: str, end: list[Event], seed: int
) -> None:
    chance = random.Random(seed)
    for body in variants(recording(name), events=wire == "mistral"):
        cuts = sorted(chance.sample(range(len(body)), chance.choice([3, 40, 1000])))
        pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
        events = taken(wire, pieces, content_type)
        assert text(events) == expected
        assert events[-2:] == end


@pytest.mark.parametrize(("wire", "name", "content_type", "expected", "end"), RECORDINGS)
def test_recordings_byte_by_byte(
    wire: WireName, name: str, content_type: str, expected: str, end: list[Event]
) -> None:
    body = recording(name)
    assert taken(wire, [bytes([byte]) for byte in body], content_type) == taken(wire, [body], content_type)


@pytest.mark.parametrize("content_type", [SSE, "application/json", "application/x-ndjson", "text/plain", ""])
@pytest.mark.parametrize(("wire", "name", "_type", "expected", "end"), RECORDINGS)
def test_first_line_decides_where_the_type_misleads(
    wire: WireName, name: str, _type: str, expected: str, end: list[Event], content_type: str
) -> None:
    assert text(taken(wire, [recording(name)], content_type)) == expected


RAW_IN_JSON = [
    "\u2028",
    "\u2029",
    "\u0085",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1e",
    "\ufeff",
    "\u202e",
    "é",
    "🌍",
    "   ",
]


@pytest.mark.parametrize("inside", RAW_IN_JSON)
def test_only_line_ends_end_a_line(inside: str) -> None:
    line = json.dumps({"x": f"a{inside}b"}, ensure_ascii=False).encode()
    body = b"data: " + line + b"\n\n"
    for position in range(len(body)):
        assert payloads(body[:position], body[position:]) == [line]
    for position in range(len(line)):
        assert payloads(line[:position], line[position:] + b"\n", content_type="application/jsonl") == [line]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:a\n\ndata:  b\n\n", [b"a", b" b"]),
        (b"data: a", [b"a"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b", [b"a", b"b"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b": comment\n\n:\n\ndata: a\n\n", [b"a"]),
        (b"data\n\n", [b""]),
        (b"data: \n\n", [b""]),
        (b"datax: no\n\nother\n\n", []),
        (b"\n\n\n", []),
        (b"", []),
        (b'data: a\n\n{"error":"boom"}\ndata: b\n\n', [b"a", b'{"error":"boom"}', b"b"]),
        (b'error: {"code":500}\n\n', [b'{"error":{"code":500}}']),
        (b"error: out of memory\n\n", [b'{"error": "out of memory"}']),
        (b'error: {"co\n\n', [b'{"error": "{\\"co"}']),
        (b"data: [DONE]", [b"[DONE]"]),
        (b'{\n"a": 1\n}', [b'{\n"a": 1\n}']),
        (b'{"a":1}\n\n{"a":2}', [b'{"a":1}', b'{"a":2}']),
        (b"\xef\xbb\xbf\r\ndata: a\n\n", [b"a"]),
        (b"<html>no</html>", []),
    ],
)
def test_forms(body: bytes, expected: list[bytes]) -> None:
    assert payloads(body) == expected
    assert payloads(*(bytes([byte]) for byte in body)) == expected
    for position in range(len(body)):
        assert payloads(body[:position], b"", body[position:]) == expected


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))), st.data())
def test_any_text_in_any_cut(texts: list[str], data: st.DataObject) -> None:
    newline = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    body = "".join(f"data: {each}{newline}{newline}" for each in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert payloads(*pieces) == [each.encode() for each in texts]


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    assert payloads(*pieces) == payloads(b"".join(pieces))


@pytest.mark.parametrize(
    "body",
    [
        b"data: " + b"x" * LINE_LIMIT + b"\n\n",
        b"data: " + b"x" * LINE_LIMIT,
        b"data: 1\n\n" + b"y" * (LINE_LIMIT + 1),
        b"data: x\n" * (EVENT_LIMIT // 2 + 1),
        b"{\n" + b' "a": 1,\n' * 300_000,
    ],
    ids=["line", "unended line", "later line", "event", "whole body"],
)
def test_limits(body: bytes) -> None:
    with pytest.raises(OversizeError):
        payloads(body)
    with pytest.raises(OversizeError):
        payloads(*(body[start : start + 16384] for start in range(0, len(body), 16384)))


def test_a_line_of_just_the_limit_passes() -> None:
    line = b"data: " + b"x" * (LINE_LIMIT - 6)
    assert payloads(line + b"\n\n") == [line[6:]]


@pytest.mark.parametrize(
    "piece", ["\u2028", "\u0085", "\u202e abc", "   ", "\n", "\t", "\ufeff", "👩‍👩‍👧", "a\r\nb"]
)
def test_texts_arrive_exactly(piece: str) -> None:
    body = b"".join(
        b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
        for value in (chunk("a"), chunk(piece), chunk("b"), chunk("", "stop"))
    )
    for position in range(len(body)):
        events = taken("mistral", [body[:position], body[position:]])
        assert [event.text for event in events if hasattr(event, "text")] == ["a", piece, "b"]
