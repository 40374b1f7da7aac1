"""A provider that writes Markdown at a steady pace: Mistral's wire, over real HTTP, in a process of its own.

The question says how much and how fast: "500 tokens, 200 a second", or "60 tokens, at once". The answer has headings,
prose, lists, code and tables, is cut into tokens of four characters, and ends with `LAST`. What the process prints is
one JSON object a line: first its port, then for each answer the moment at which its last token was handed to the
system, in seconds since the epoch.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

TOKEN = 4  # characters
LAST = "omega"  # the last word, which is nowhere else
ASKED = re.compile(r"(\d+) tokens(?:, (\d+) a second)?")
LEAST = 8  # tokens

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
)
_SENTENCE = (
    "a bottle filled at night waits in the cold room until the first lorry leaves the yard and "
    "nobody who drinks from it at noon will ask how far it came or who closed it with care"
)
_WORDS = _SENTENCE.split()


def markdown(tokens: int) -> str:
    """An answer of exactly so many tokens: whole blocks as long as they fit, then plain words."""
    ending = f" {LAST}"
    room = max(tokens, LEAST) * TOKEN - len(ending)
    text = ""
    for block in _blocks():
        if len(text) + len(block) > room:
            break
        text += block
    return text + _filler(room - len(text)) + ending


def _filler(length: int) -> str:
    words = f"{_SENTENCE} "
    return (words * (length // len(words) + 1))[:length]


def _prose(section: int, words: int) -> str:
    said = [_WORDS[(section * 7 + index) % len(_WORDS)] for index in range(words)]
    said[3] = f"**{said[3]}**"
    said[words // 2] = f"`{said[words // 2]}`"
    return f"{' '.join(said).capitalize()}.\n\n"


def _blocks() -> Iterator[str]:
    for section in count(1):
        yield f"## Part {section}: what is kept\n\n"
        yield _prose(section, 70)
        points = (
            f"{each}. **Point {each}** of part {section}, and why it matters here\n" for each in range(1, 6)
        )
        yield "".join(points) + "\n"
        yield _code(section)
        yield f"### In numbers, {section}\n\n"
        rows = (f"| row {each} | {section * each * 17} | {section + each}.5 % |\n" for each in range(1, 7))
        yield "| What | Count | Part |\n|---|--:|--:|\n" + "".join(rows) + "\n"
        yield _prose(section + 1, 45)
        yield "".join(f"- the {each} thing to keep in mind\n" for each in ("first", "next", "last")) + "\n"


def _code(section: int) -> str:
    lines = (
        f"def part_{section}(bottles: list[int]) -> int:",
        '    """Count what is left, and say so."""',
        "    kept = 0",
        "    for number, bottle in enumerate(bottles):",
        f"        if bottle > {section}:",
        "            kept += bottle * number  # the full ones",
        "    return kept",
    )
    return "```python\n" + "\n".join(lines) + "\n```\n\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, one answer, and the connection is over."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"content-length: (\d+)", head)
    body = json.loads(await reader.readexactly(int(length[1]))) if length else {}
    asked = ASKED.search(str(body.get("messages", [{}])[-1].get("content", "")))
    tokens, rate = (int(asked[1]), int(asked[2] or 0)) if asked else (LEAST, 0)
    writer.write(_HEAD)
    began = time.monotonic()
    pieces = re.findall(f"(?s).{{1,{TOKEN}}}", markdown(tokens))
    for number, piece in enumerate(pieces):
        if rate and (wait := began + number / rate - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        writer.write(_event(piece, "stop" if number == len(pieces) - 1 else None, number + 1))
        await writer.drain()
    sent = time.time()
    writer.write(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    await writer.drain()
    writer.close()
    _say({"tokens": len(pieces), "sent": sent, "took": time.monotonic() - began})


def _event(piece: str, finish: str | None, tokens: int) -> bytes:
    choice = {"index": 0, "delta": {"content": piece}, "finish_reason": finish}
    event: dict[str, Any] = {
        "id": "paced",
        "object": "chat.completion.chunk",
        "model": "paced",
        "choices": [choice],
    }
    if finish:
        event["usage"] = {"prompt_tokens": 0, "completion_tokens": tokens, "total_tokens": tokens}
    return _chunk(b"data: " + json.dumps(event).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _say(fact: dict[str, Any]) -> None:
    print(json.dumps(fact), flush=True)  # noqa: T201 (the pipe to whoever started it)


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    _say({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
