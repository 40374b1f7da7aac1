"""Two versions side by side: the prompt line by line, the parameters as a table. Knows no request.

A page of any two prompts stays small: long stretches of equal lines are folded, and where there are still too many
rows, several lines stand in one.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, zip_longest
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from conversations import personas
from conversations.admin import alignment
from conversations.estimates import DEFAULT_CONTEXT_LENGTH
from conversations.models import PersonaVersion

NOT_SENT: Any = gettext_lazy("not sent")
ROWS = 1_000  # of a comparison
AROUND = 3  # equal rows that are shown before and behind what differs
FOLDED = 5  # equal rows at least, to be folded
PROMPT_BYTES = 300_000  # of a prompt as HTML: only one of nearly nothing but signs and quotes has more
_ESCAPED = {"&": 4, "<": 3, ">": 3, '"': 5, "'": 5}  # bytes more than the sign


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a prompt, counted from one."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class LinePair:
    """What stands beside each other; None where one side has nothing. Or so many equal lines, `folded` away."""

    left: Line | None
    right: Line | None
    changed: bool
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Prompts:
    """Two prompts side by side, and in a sentence what of them is shown otherwise than line by line."""

    rows: list[LinePair]
    note: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in both versions, as it is read by people."""

    label: str
    left: str
    right: str
    changed: bool


def prompts(left: str, right: str) -> Prompts:
    """Both prompts, aligned by the lines that they share."""
    old, new = _fitting(left), _fitting(right)
    notes = []
    if (old, new) != (left, right):
        notes.append(_("Of these prompts only the beginnings are compared, since they are long."))
    sides = _Sides(old.splitlines(), new.splitlines())
    rows = list(islice(sides.rows(1, AROUND), ROWS + 1))
    if len(rows) > ROWS:
        together = -(-len(sides.pairs) // (ROWS // 2))
        rows = list(sides.rows(together, 1))
        notes.append(
            ngettext(
                "These prompts differ in so many places that %(lines)s line is compared at a time.",
                "These prompts differ in so many places that %(lines)s lines are compared at a time.",
                together,
            )
            % {"lines": together}
        )
    return Prompts(rows, " ".join([*notes, _("Each version shows the whole.")] if notes else []))


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


def default_context() -> str:
    """How many tokens are read where a version says nothing of it."""
    return _("%(tokens)s (default)") % {"tokens": number_format(DEFAULT_CONTEXT_LENGTH, force_grouping=True)}


def value(version: PersonaVersion, name: str) -> str:
    """A field of a version, as it is read by people."""
    found: Any = getattr(version, name)
    if name == "context_length":  # it is never sent: so much of a chat is
        return default_context() if found is None else number_format(found, force_grouping=True)
    if found is None or found == "" or found == []:
        return str(NOT_SENT)
    if isinstance(found, bool):
        return _("yes") if found else _("no")
    if isinstance(found, float):
        return number_format(found)
    if isinstance(found, list):
        return ", ".join(json.dumps(text, ensure_ascii=False) for text in found)
    return str(found)


class _Sides:
    """The lines of both sides, and which of them stand beside each other."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self.old, self.new = old, new
        self.pairs = [
            pair for block in alignment.blocks(old, new) for pair in zip_longest(block.old, block.new)
        ]
        # Where too little is shared to align by, equal lines may still stand beside each other.
        self.changed = [at is None or to is None or old[at] != new[to] for at, to in self.pairs]

    def rows(self, together: int, around: int) -> Iterator[LinePair]:
        """Rows of so many pairs each; of long stretches of equal ones only those around the others."""
        starts = range(0, len(self.pairs), together)
        for changed, group in groupby(starts, key=lambda start: any(self.changed[start : start + together])):
            stretch = list(group)
            first = around if stretch[0] else 0
            last = len(stretch) - (around if stretch[-1] != starts[-1] else 0)
            if changed or last - first < FOLDED:
                first, last = len(stretch), len(stretch)
            for start in stretch[:first]:
                yield self._row(start, together, changed)
            if first < last:
                end = min(stretch[last - 1] + together, len(self.pairs))
                yield LinePair(None, None, False, end - stretch[first])
            for start in stretch[last:]:
                yield self._row(start, together, changed)

    def _row(self, start: int, together: int, changed: bool) -> LinePair:
        left, right = zip(*self.pairs[start : start + together], strict=True)
        return LinePair(_line(self.old, left), _line(self.new, right), changed)


def _line(lines: Sequence[str], places: Sequence[int | None]) -> Line | None:
    """Several lines in one, with the number of the first."""
    there = [place for place in places if place is not None]
    return Line(there[0] + 1, "\n".join(lines[place] for place in there)) if there else None


def _fitting(prompt: str) -> str:
    """As much of a prompt as there is room for on a page."""
    if _html_bytes(prompt) <= PROMPT_BYTES:
        return prompt
    size = bisect_left(range(len(prompt)), PROMPT_BYTES, key=lambda chars: _html_bytes(prompt[:chars]))
    return prompt[: size - 1]


def _html_bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace")) + sum(
        text.count(sign) * more for sign, more in _ESCAPED.items()
    )
