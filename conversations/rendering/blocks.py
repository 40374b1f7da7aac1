"""An answer while it arrives: blocks that are settled, and the open tail.

A block is settled when a later line begins another one; it is rendered once and never touched again.
The tail is rendered with each piece, but for four things whose cost must not grow with their length:
an open code block takes appended text, and so does a paragraph as long as plain words arrive; a long
list or table takes its last rows again, and any other long tail is rendered again when it has grown
by a part of itself. The truth is `markdown.render`; what is shown here differs from it in the tail only,
and `finish` says what is left to do.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.safestring import SafeString

from conversations.rendering.fence import OpenFence
from conversations.rendering.markdown import (
    LONGEST,
    OPEN_WORDS,
    escaped,
    growing_rows,
    growing_words,
    joined,
    open_code,
    render_clean,
    render_settled,
    rows_of,
)
from conversations.rendering.plaintext import PieceCleaner
from conversations.rendering.preview import preview
from conversations.rendering.rows import OpenRows
from conversations.rendering.words import is_plain, takes_plain, visible

# A tail of this length is rendered again only when it has grown by one part in GROWTH.
LONG_TAIL: Final = 4_096
GROWTH: Final = 64
# A tail that took longer than this (in processor time) has to grow before it is looked at again: by a
# tenth for 5 ms, to twice its length for 50 ms. So a hostile text costs a few renderings, not one a frame.
CHEAP: Final = 0.005
DOUBLING: Final = 0.05
# What an event loop can take between two words of others: so much text at once, so many cells of a table. A short
# row of a wide table is filled up to its width, so what a row costs does not show in its length.
LONG_PIECE: Final = 2_048
MANY_CELLS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that take the place of the last `replaced` ones of the open list or table."""

    wrapper: str
    replaced: int
    html: str


@dataclass(slots=True)
class Patch:
    """What one piece changed.

    `settled` goes before the tail, `tail` takes the place of what the tail held (None: unchanged),
    `append` goes to the end of the open code or paragraph, `rows` does so with the last rows of an open list or table.
    """

    settled: str = ""
    tail: str | None = None
    append: str = ""
    rows: Rows | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How the shown text becomes `markdown.render` of the whole.

    Where `replace` is False, the settled blocks are right as they stand, and `html` takes the place of
    the tail; where it is True (a late link definition, a text over the limits), `html` is everything.
    """

    replace: bool
    html: str


class BlockStream:
    """The renderer of one viewer of one answer: `feed` each piece, `finish` once."""

    __slots__ = ("_checked", "_cleaner", "_fence", "_length", "_open", "_pieces", "_plain", "_rendered",
                 "_rows", "_settled", "_tail", "_wait")  # fmt: skip

    def __init__(self) -> None:
        self._cleaner = PieceCleaner()
        self._pieces: list[str] = []
        self._length = 0
        self._settled: list[SafeString] = []
        self._open = ""
        self._tail: SafeString | None = SafeString()
        self._rendered = 0
        self._wait = 0.0
        self._checked = (0, False)
        self._fence: OpenFence | None = None
        self._rows: OpenRows | None = None
        self._plain = False

    @property
    def settled(self) -> SafeString:
        """The HTML of all settled blocks."""
        return joined(self._settled)

    @property
    def tail(self) -> SafeString:
        """The HTML of the open tail as a viewer who joins now must see it."""
        if self._fence:
            return open_code(self._fence.language, self._fence.shown)
        if self._rows:
            return growing_rows(preview(self._open[: self._rendered]))
        if self._tail is None:
            return growing_words(preview(self._open[: self._rendered]))
        return self._tail

    def is_laborious(self, piece: str) -> bool:
        """Whether to `feed` this may take some milliseconds, for which other work should not have to wait."""
        if len(piece) > LONG_PIECE:
            return True
        if self._fence:
            return self._fence.may_close(piece)  # and be coloured
        if self._wait and len(self._open) + len(piece) >= self._wait:
            return True
        return piece.count("\n") * self._open.count("|") > MANY_CELLS

    def feed(self, piece: str) -> Patch:
        """Take the next piece of the text, and tell what to change."""
        piece = self._cleaner.feed(piece)
        if not piece:
            return Patch()
        self._pieces.append(piece)
        self._length += len(piece)
        # Beyond the limit the whole becomes plain text when it ends; until then nothing more is shown.
        return self._advance(piece) if self._length <= LONGEST else Patch()

    def finish(self) -> Ending:
        """Render the whole once, and compare it with what is shown."""
        whole = render_clean("".join([*self._pieces, self._cleaner.finish()]))
        shown = self.settled
        if whole.startswith(shown):
            return Ending(replace=False, html=whole[len(shown) :])
        return Ending(replace=True, html=whole)

    def _advance(self, piece: str) -> Patch:
        closed: list[SafeString] = []
        if self._fence:
            code, rest = self._fence.feed(piece)
            if rest is None:
                return Patch(append=escaped(code))
            closed.append(self._close_fence(self._fence, rest))
        elif self._plain and is_plain(piece):
            return self._append(piece)
        else:
            self._plain = False
            self._open = (self._open + piece).lstrip("\n")
        if len(self._open) < self._wait:
            return Patch()
        began = time.thread_time()
        patch = self._look(closed)
        spent = time.thread_time() - began
        self._wait = len(self._open) * (1 + spent / DOUBLING) if spent > CHEAP else 0.0
        return patch

    def _append(self, piece: str) -> Patch:
        seen = len(visible(self._open))
        self._open += piece
        self._rendered = len(self._open)
        self._tail = None
        return Patch(append=escaped(visible(self._open[seen:])))

    def _look(self, closed: list[SafeString]) -> Patch:
        """Read the open source again: what of it is settled now, and how the rest is shown."""
        lines = self._new_lines()
        if lines is not None and self._rows and not self._rows.advance(lines):
            self._leave_rows()
        if lines is not None and self._rows is None:
            closed.extend(self._settle(lines))
        return self._patch(joined(closed))

    def _new_lines(self) -> str | None:
        """The lines that structure can be read from, if there are more of them than last time.

        A line that is still arriving does not count, for it can still become anything; but one that
        begins with a letter can only become text.
        """
        start = self._open.rfind("\n") + 1
        begun = self._open[start : start + 1].isalpha()
        if (start, begun) == self._checked:
            return None
        self._checked = (start, begun)
        return self._open if begun else self._open[:start]

    def _settle(self, lines: str) -> Iterable[SafeString]:
        """Cut settled blocks off the open source, until the last block is all that is left."""
        html, end = render_settled(lines)
        if end:
            yield self._keep(html)
            self._cut(self._open[end:])
        while opened := OpenFence.at_start_of(self._open):
            self._fence, rest = opened
            _, following = self._fence.feed(rest)
            if following is None:
                self._cut("")
                return
            yield self._close_fence(self._fence, following)
            yield from self._settle(self._new_lines() or "")

    def _close_fence(self, fence: OpenFence, following: str) -> SafeString:
        self._fence = None
        self._cut(following)
        return self._keep(render_clean(fence.source))

    def _cut(self, rest: str) -> None:
        self._open = rest.lstrip("\n")
        self._checked = (0, False)
        self._rendered = 0
        self._wait = 0.0
        self._rows = None
        self._plain = False

    def _keep(self, html: SafeString) -> SafeString:
        self._settled.append(html)
        return html

    def _patch(self, settled: SafeString) -> Patch:
        if self._fence:
            self._tail = None
            return Patch(settled, self.tail)
        if self._rows and (rows := self._last_rows(self._rows)):
            return Patch(rows=rows)
        if self._rendered > LONG_TAIL and len(self._open) < self._rendered * (1 + 1 / GROWTH):
            return Patch(settled)
        return Patch(settled, self._tail_html())

    def _last_rows(self, rows: OpenRows) -> Rows | None:
        excerpt = rows.excerpt(self._open)
        html = rows_of(excerpt.source, excerpt.skipped) if excerpt else None
        if excerpt is None or html is None:
            self._leave_rows()
            return None
        self._rendered = len(self._open)
        return Rows(rows.wrapper, excerpt.replaced, html)

    def _leave_rows(self) -> None:
        """Go back to the tail as a whole, which has to be rendered now, however long it is."""
        self._rows = None
        self._rendered = 0

    def _tail_html(self) -> str | None:
        """The tail rendered again; None when a viewer would see no difference."""
        self._rendered = len(self._open)
        source = preview(self._open)
        self._rows = OpenRows.begin(self._open[: self._checked[0]], source)
        if self._rows:
            self._tail = None
            return growing_rows(source)
        # Where the preview is the source itself, nothing is open in it.
        self._plain = source == visible(self._open) and takes_plain(self._open)
        html = growing_words(source)
        self._plain = self._plain and html.startswith(OPEN_WORDS)
        if html == self._tail:
            return None
        self._tail = html
        return html
