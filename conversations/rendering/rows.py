"""A long list or table at the end of an answer: only its last rows are rendered again.

What lives here: where the rows of an open list or table begin, and which piece of source shows the
last of them as the whole would show them. Nothing here is trusted HTML.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import pyromark

from conversations.rendering.budget import Budget
from conversations.rendering.preview import preview
from conversations.rendering.writer import OPTIONS

# Below this a list or table is rendered whole with each frame, which costs less than the bookkeeping.
SHORTEST: Final = 600
SECONDS: Final = 0.02

# What stands in an item of a tight list without a paragraph around it.
_INLINE: Final = frozenset({"Text", "Code", "Emphasis", "Strong", "Strikethrough", "Link", "Image"})
_MARKER: Final = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?=[ \t\n])")


@dataclass(frozen=True, slots=True)
class _Outline:
    """What a source consists of: its top-level blocks, and the rows of the first one.

    `loose` says whether the items of a list stand apart, as paragraphs; None where no item shows it.
    """

    kind: str
    blocks: int
    rows: tuple[int, ...]
    loose: bool | None


def _outline(source: str) -> _Outline:
    """What `source` consists of; nothing at all where it takes too long to tell."""
    kind, blocks, depth = "", 0, 0
    rows: list[int] = []
    loose: bool | None = None
    budget = Budget(SECONDS)
    for count, (name, change, start) in enumerate(_elements(source)):
        if count % 512 == 511 and budget.spent() >= 1:
            return _Outline("", 0, (), loose=None)
        if depth == 0 and change >= 0:
            blocks += 1
            kind = kind or name
        elif blocks == 1 and depth == 1 and name in ("Item", "TableRow") and change > 0:
            rows.append(start)
        elif blocks == 1 and depth == 2 and change >= 0 and (name == "Paragraph" or name in _INLINE):
            loose = name == "Paragraph"
        depth += change
    return _Outline(kind, blocks, tuple(rows), loose)


def _elements(source: str) -> Iterator[tuple[str, int, int]]:
    """All events as (name, change of depth, start of the line); the latter for what opens only."""
    raw = b"" if source.isascii() else source.encode()
    for event, span in pyromark.events_with_range(source, options=OPTIONS):
        if isinstance(event, str):
            yield event, 0, 0
            continue
        kind, value = next(iter(cast(dict[str, Any], event).items()))
        if kind == "Start":
            start = len(raw[: span["start"]].decode()) if raw else span["start"]
            yield _name(value), 1, source.rfind("\n", 0, start) + 1
        else:
            yield kind, -1 if kind == "End" else 0, 0


def _name(value: Any) -> str:
    return value if isinstance(value, str) else str(next(iter(value)))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The end of a list or table as a source of its own, for what a page has to put in place of what.

    Of the rows that it renders to, the first `skipped` are not meant; the others take the place of the
    last `replaced` rows on the page.
    """

    source: str
    skipped: int
    replaced: int


class OpenRows:
    """The list or table that the open source is, as long as it is nothing else.

    The rows before the position `_begins` are on the page for good; behind it there are `_shown`.
    """

    __slots__ = ("_begins", "_loose", "_next", "_shown", "_table_head", "wrapper")

    def __init__(self, table_head: str, last: int, *, loose: bool) -> None:
        self.wrapper = "tbody" if table_head else "ul"
        self._table_head = table_head
        self._loose = loose
        self._begins = self._next = last
        self._shown = 0

    @classmethod
    def begin(cls, lines: str, shown: str) -> Self | None:
        """The open list or table, where `lines` are one that is worth the trouble; `shown` is on the page."""
        if len(lines) < SHORTEST:
            return None
        outline = _outline(lines)
        if outline.blocks != 1 or len(outline.rows) < 2:
            return None
        table = outline.kind == "Table"
        head = "".join(line + "\n" for line in lines.split("\n")[:2]) if table else ""
        on_page = _outline(shown)
        if on_page.blocks != 1 or on_page.loose != outline.loose or (outline.loose is None and not table):
            return None
        rows = cls(head, outline.rows[-1], loose=bool(outline.loose))
        rows._shown = sum(row >= rows._begins for row in on_page.rows)
        return rows

    def excerpt(self, source: str) -> Excerpt | None:
        """What to show of the open source now; None where more than its last rows changes."""
        tail = preview(self._table_head + source[self._begins :])
        outline = _outline(tail)
        if outline.blocks != 1 or self._changes_spacing(outline):
            return None
        marker = _MARKER.match(tail) if self._loose else None
        # Whether a list stands loose is a matter of the whole list: an item before this one says so.
        before = f"{marker.group().strip()} x\n\n" if marker else ""
        excerpt = Excerpt(before + tail, 1 if marker else 0, self._shown)
        settled = self._next - self._begins + len(self._table_head)
        self._shown = sum(row >= settled for row in outline.rows)
        self._begins = self._next
        return excerpt

    def advance(self, lines: str) -> bool:
        """Note the last row begun in `lines` (the complete ones); False where rows do not suffice."""
        tail = lines[self._begins :]
        if not tail:
            return True
        outline = _outline(self._table_head + tail)
        if outline.blocks != 1 or not outline.rows or self._changes_spacing(outline):
            return False
        self._next = self._begins + outline.rows[-1] - len(self._table_head)
        return True

    def _changes_spacing(self, outline: _Outline) -> bool:
        """Whether rows already on the page may have to move apart; a list never moves together again."""
        return not self._table_head and not self._loose and outline.loose is not False
