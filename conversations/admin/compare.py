"""Two versions side by side: the prompt line by line, the parameters as a table. Knows no request."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from conversations import personas
from conversations.generation.history import DEFAULT_CONTEXT_LENGTH
from conversations.models import PersonaVersion

NOT_SENT = "not sent"
DEFAULT_CONTEXT = f"{DEFAULT_CONTEXT_LENGTH:,} (default)"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a prompt, counted from one."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class LinePair:
    """What stands beside each other; None where one side has nothing."""

    left: Line | None
    right: Line | None
    changed: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in both versions, as it is read by people."""

    label: str
    left: str
    right: str
    changed: bool


def prompt_lines(left: str, right: str) -> list[LinePair]:
    """Both prompts, aligned by the lines that they share."""
    old, new = left.splitlines(), right.splitlines()
    pairs: list[LinePair] = []
    for kind, from_old, to_old, from_new, to_new in SequenceMatcher(None, old, new).get_opcodes():
        pairs += [
            LinePair(before, after, kind != "equal")
            for before, after in zip_longest(_lines(old, from_old, to_old), _lines(new, from_new, to_new))
        ]
    return pairs


def parameters(left: PersonaVersion, right: PersonaVersion) -> list[Parameter]:
    """All that a version says beside its prompt."""
    differing = personas.changed(left, right)
    return [
        Parameter(label(name), value(left, name), value(right, name), name in differing)
        for name in personas.VERSIONED
        if name != "system_prompt"
    ]


def label(name: str) -> str:
    """What a field of a version is called."""
    words = str(PersonaVersion._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return words[:1].upper() + words[1:]


def value(version: PersonaVersion, name: str) -> str:
    """A field of a version, as it is read by people."""
    found: Any = getattr(version, name)
    if name == "context_length":  # it is never sent: so much of a chat is
        return DEFAULT_CONTEXT if found is None else f"{found:,}"
    if found is None or found == "" or found == []:
        return NOT_SENT
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, list):
        return ", ".join(json.dumps(text, ensure_ascii=False) for text in found)
    return str(found)


def _lines(lines: list[str], start: int, end: int) -> list[Line]:
    return [Line(index + 1, lines[index]) for index in range(start, end)]
