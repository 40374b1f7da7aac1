"""Reading JSON that somebody else wrote.

Every function here takes whatever came and returns a value of the right type or a neutral one; none
raises. What the fields mean is the business of the wire modules.
"""

import json
from typing import Any

DONE = b"[DONE]"

_LONGEST_INTEGER = 18
_LARGEST_COUNT = 2**31 - 1
_LONGEST_LABEL = 200

_fast = json.JSONDecoder()
_tolerant = json.JSONDecoder(
    parse_int=lambda digits: int(digits) if len(digits) <= _LONGEST_INTEGER else None
)


def parse_object(payload: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a payload, or `None` where there is none that can be read."""
    text = payload.decode("utf-8", "replace").strip()
    try:
        value = _decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _decode(text: str) -> Any:
    try:
        return _fast.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python refuses to read integers of thousands of digits; only that number is worth losing.
        return _tolerant.decode(text)


def mapping(value: object) -> dict[str, Any]:
    """Return an object as it is and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return a list as it is and anything else as an empty one."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """Return a string as it is and anything else as an empty one."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """Return a number of tokens: whole, not negative, small enough for any database's integer."""
    # The comparison is false for NaN and infinities too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST_COUNT:
        return None
    return int(value)


def label(value: object) -> str | None:
    """Return an id, a model's name or a code as one short printable line, or `None`."""
    text = "".join(filter(str.isprintable, str(value))) if isinstance(value, str | int) else ""
    return text[:_LONGEST_LABEL] or None
