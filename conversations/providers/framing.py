"""Bytes of a response body in, payloads out.

A payload is the `bytes` of one JSON text, or of `[DONE]`. Three framings occur: server-sent events,
one JSON object per line, and one JSON text for the whole body. The rules for events are those of the
WHATWG HTML standard, section "Server-sent events". Lines are cut in bytes at LF, CRLF and CR and
nowhere else: U+2028 and its kin may stand raw inside JSON. What a payload means is not known here.
"""

import json

LINE_LIMIT = 256 * 1024
EVENT_LIMIT = 256 * 1024
BODY_LIMIT = 2 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_LINE_TYPES = frozenset(
    {
        "application/stream+json",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
    }
)


class OversizeError(Exception):
    """A line, an event or a body of one JSON text is larger than its limit."""


class Framer:
    """Cuts one response body into payloads, however the network cuts the body.

    A Content-Type for JSON lines is taken at its word; otherwise the first line that is not blank
    tells whether the body is JSON or events, since servers mislabel both.
    """

    __slots__ = ("_grammar", "_line_type", "_lines")

    def __init__(self, content_type: str) -> None:
        self._line_type = content_type.partition(";")[0].strip().lower() in _LINE_TYPES
        self._lines = _Lines()
        self._grammar: _Events | _Objects | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads completed by `data`. Raises `OversizeError`."""
        return self._take(self._lines.feed(data))

    def end(self) -> list[bytes]:
        """Return the payloads that the end of the body completes. Raises `OversizeError`."""
        payloads = self._take(self._lines.end())
        return payloads + self._grammar.end() if self._grammar else payloads

    def _take(self, lines: list[bytes]) -> list[bytes]:
        if self._grammar is None:
            first = next((line.strip() for line in lines if line.strip()), None)
            if first is None:
                return []
            self._grammar = _Objects(self._line_type or is_json(first)) if first[:1] in b"{[" else _Events()
        return self._grammar.take(lines)


def is_json(text: bytes) -> bool:
    """Tell whether a text is complete JSON, however hostile it is."""
    try:
        json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


class _Lines:
    """Cuts a byte stream into lines."""

    __slots__ = ("_at_start", "_skip_lf", "_tail")

    def __init__(self) -> None:
        self._tail = bytearray()
        self._skip_lf = False
        self._at_start = True

    def feed(self, data: bytes) -> list[bytes]:
        if self._skip_lf and data:
            # The CR that ended the last read also ended its line; this LF is only its other half.
            data = data.removeprefix(b"\n")
            self._skip_lf = False
        if b"\r" in data:
            self._skip_lf = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._at_start:
            self._tail += data
            if len(self._tail) < len(_BOM) and _BOM.startswith(self._tail):
                return []
            data, self._tail = bytes(self._tail).removeprefix(_BOM), bytearray()
            self._at_start = False
        return self._cut(data)

    def end(self) -> list[bytes]:
        rest, self._tail = bytes(self._tail), bytearray()
        return [rest] if rest else []

    def _cut(self, data: bytes) -> list[bytes]:
        if b"\n" not in data:
            self._tail += data
            self._check(len(self._tail))
            return []
        *lines, rest = (bytes(self._tail) + data).split(b"\n")
        self._check(len(lines[0]))
        if len(data) > LINE_LIMIT:
            self._check(max(map(len, lines)))
            self._check(len(rest))
        self._tail = bytearray(rest)
        return lines

    @staticmethod
    def _check(size: int) -> None:
        if size > LINE_LIMIT:
            raise OversizeError


class _Events:
    """Server-sent events, with the deviations that chat servers are known for.

    The event name, `id:` and `retry:` carry nothing here. An `error:` field (older llama.cpp) and a bare
    JSON line between events are payloads of their own.
    """

    __slots__ = ("_data", "_size")

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._size = 0

    def take(self, lines: list[bytes]) -> list[bytes]:
        payloads: list[bytes] = []
        for line in lines:
            if not line:
                payloads += self.end()
            elif line.startswith(b"data:"):
                self._keep(line[6:] if line.startswith(b"data: ") else line[5:])
            elif line.startswith(b"{"):
                payloads.append(line)
            elif line.startswith(b"error:"):
                payloads.append(_error_payload(line[6:].strip()))
            elif line == b"data":
                self._keep(b"")
        return payloads

    def end(self) -> list[bytes]:
        """Dispatch what is pending: at a blank line, and at the end of the body."""
        if not self._data:
            return []
        data, self._data, self._size = self._data, [], 0
        return [data[0] if len(data) == 1 else b"\n".join(data)]

    def _keep(self, value: bytes) -> None:
        self._data.append(value)
        self._size += len(value) + 1
        if self._size > EVENT_LIMIT:
            raise OversizeError


class _Objects:
    """JSON without events: an object per line, or one text over the whole body."""

    __slots__ = ("_by_line", "_size", "_whole")

    def __init__(self, by_line: bool) -> None:
        self._by_line = by_line
        self._whole: list[bytes] = []
        self._size = 0

    def take(self, lines: list[bytes]) -> list[bytes]:
        if self._by_line:
            return [line for line in lines if line.strip()]
        self._whole += lines
        self._size += sum(map(len, lines)) + len(lines)
        if self._size > BODY_LIMIT:
            raise OversizeError
        return []

    def end(self) -> list[bytes]:
        whole, self._whole = self._whole, []
        return [b"\n".join(whole)] if whole else []


def _error_payload(value: bytes) -> bytes:
    if is_json(value):
        return b'{"error":' + value + b"}"
    return json.dumps({"error": value.decode("utf-8", "replace")}).encode()
