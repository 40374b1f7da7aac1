"""How log lines look: a JSON object each; to a terminal, words for whoever sits before it.

Neither holds what people and models wrote, nor a link that lets somebody in. What an exception says often quotes what
was choked on - a row, a header, half a message - so of those that are not our own the log has the name and the way
through the code.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime

from conversations.trace import request_id

OURS = ("chatsite", "conversations")
_OPENS = re.compile(r"(/(?:accounts/(?:invitation|new-password)|s)/)[\w-]+")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Numbered(logging.Filter):
    """Gives each record the number of the request that it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class Brief(logging.Filter):
    """Takes the traceback away."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = record.stack_info = None
        return True


class JsonFormatter(logging.Formatter):
    """A record as a line of ASCII: `time` (UTC), `level`, `logger`, `request`, `message`; `exception` where one is."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request": getattr(record, "request_id", ""),
            "message": said(record),
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = way_to(record.exc_info[1])
        return json.dumps(line)


class TerminalFormatter(logging.Formatter):
    """The same in words, without anything that a terminal would act on."""

    def format(self, record: logging.LogRecord) -> str:
        number = getattr(record, "request_id", "")
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")  # the reader's own clock
        line = f"{moment} {record.levelname} {record.name} [{number}]: {_BREAKS.sub(_escaped, said(record))}"
        if record.exc_info and record.exc_info[1]:
            line = f"{line}\n{way_to(record.exc_info[1])}"
        return line


def said(record: logging.LogRecord) -> str:
    """The message of `record`. Of another's the first line: asyncio's go on with what an exception said."""
    message = _OPENS.sub(r"\1-", record.getMessage())
    if record.name.split(".")[0] in OURS:
        return message
    return message.split("\n", 1)[0]


def way_to(error: BaseException, seen: frozenset[int] = frozenset()) -> str:
    """The traceback of `error` and of what it came from, without the lines of code."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    seen |= {id(error)}
    earlier = f"{way_to(cause, seen)}\n\nthen:\n" if cause and id(cause) not in seen else ""
    frames = traceback.extract_tb(error.__traceback__)
    way = "".join(f"  {frame.filename}:{frame.lineno} {frame.name}\n" for frame in frames)
    return f"{earlier}Traceback (most recent call last):\n{way}{_name(error)}"


def _name(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if kind.__module__.split(".")[0] in OURS:
        return f"{name}: {_BREAKS.sub(_escaped, str(error))}"
    code = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    return f"{name} ({code})" if code else name


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
