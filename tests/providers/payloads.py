"""Stream payloads for the tests of the readers."""

import json
from typing import Any


def sse(*values: Any, done: bool = True) -> bytes:
    """Return a stream of these payloads: bytes as they are, anything else as JSON."""
    lines = [value if isinstance(value, bytes) else json.dumps(value).encode() for value in values]
    return b"".join(b"data: " + line + b"\n\n" for line in lines) + (b"data:  [DONE] \n\n" if done else b"")


def delta(index: int = 0, **fields: object) -> dict[str, object]:
    return {"id": "c1", "model": "m", "choices": [{"index": index, "delta": fields, "finish_reason": None}]}


def block(content: dict[str, object], kind: str = "content-delta", index: int = 0) -> dict[str, object]:
    return {"type": kind, "index": index, "delta": {"message": {"content": content}}}


def ending(**fields: object) -> dict[str, object]:
    return {"type": "message-end", "delta": fields}
