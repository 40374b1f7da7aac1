"""From Markdown events to HTML: every element and attribute that an answer can have is written here.

Raw HTML in the source is text. What is written is not trusted yet: `markdown` sends it through the
sanitiser. Code blocks leave an empty `<pre>` in the HTML and travel beside it, so that their trusted
frame is put in after the sanitiser has seen everything else.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar, Final

from pyromark import Options
from pyromark.event import Event, Range

from conversations.rendering import formulas
from conversations.rendering.budget import Budget
from conversations.rendering.highlight import highlight
from conversations.rendering.links import Destination, bare_addresses, destination
from conversations.rendering.markup import SLOT, anchor, figure, is_closed, language_of, link_end, plain, task

OPTIONS: Final = (
    Options.ENABLE_TABLES
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_TASKLISTS
    # The old kind takes a reference for one before its definition has arrived.
    | Options.ENABLE_OLD_FOOTNOTES
)
# Twenty levels of list: a list is two elements.
DEEPEST: Final = 40
# Colour is the first thing to go when a text grows expensive.
COLOUR_SHARE: Final = 0.4

_SIMPLE: Final = {
    "Emphasis": ("<em>", "</em>"),
    "Strong": ("<strong>", "</strong>"),
    "Strikethrough": ("<del>", "</del>"),
    "Item": ("<li>", "</li>\n"),
}
_DIRECTED: Final = {
    "Paragraph": ("<p%s>", "</p>\n"),
    "HtmlBlock": ('<p class="plain"%s>', "</p>\n"),
    "BlockQuote": ("<blockquote%s>\n", "</blockquote>\n"),
}
_MARKS: Final = {"SoftBreak": "\n", "HardBreak": "<br>\n", "Rule": "<hr>\n"}
_ALIGNED: Final = {
    "None": "",
    "Left": ' class="left"',
    "Center": ' class="center"',
    "Right": ' class="right"',
}
_NOTE: Final = re.compile(r"\d{1,3}|[A-Za-z]\w{0,11}")
# The page has its own h1 and h2.
_HEADINGS: Final = {"H1": "h3", "H2": "h4", "H3": "h5", "H4": "h6", "H5": "h6", "H6": "h6"}


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level block as written: where its source begins (in bytes) and what it became."""

    start: int
    html: str
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _OpenLink:
    """A link being written: its address, and its words, by which the end judges whether they lie."""

    target: Destination | None
    words: list[str]


def write(source: str, budget: Budget) -> list[Block]:
    """The top-level blocks of `source`, in order."""
    return _Writer(source, budget).write()


class _Writer:
    """Turns the events of one text into blocks; each element opened leaves its closing tag on a stack."""

    def __init__(self, source: str, budget: Budget) -> None:
        self._source = source
        self._bytes = source.encode()
        self._budget = budget
        self._out: list[str] = []
        self._figures: list[str] = []
        self._closers: list[str] = []
        self._deepest = 0
        self._cells: tuple[str, ...] = ()
        self._cell = 0
        self._cell_tag = "td"
        self._link: _OpenLink | None = None
        self._code: list[str] | None = None
        self._alt: list[str] | None = None
        self._image = ""
        self._image_depth = 0

    def write(self) -> list[Block]:
        blocks: list[Block] = []
        start = 0
        for count, (event, span) in enumerate(formulas.events(self._source, OPTIONS)):
            if count % 512 == 511:
                self._budget.check()
            if not self._closers:
                start = span["start"]
            self._write(event, span)
            if not self._closers:
                blocks.append(self._finish(start, span["end"]))
        return blocks

    def _finish(self, start: int, end: int) -> Block:
        html, figures = "".join(self._out), tuple(self._figures)
        if self._deepest > DEEPEST:
            html, figures = plain(self._slice(start, end).strip("\n")), ()
        self._out.clear()
        self._figures.clear()
        self._deepest = 0
        return Block(start, html, figures)

    def _slice(self, start: int, end: int) -> str:
        return self._bytes[start:end].decode()

    def _write(self, event: Event, span: Range) -> None:
        if isinstance(event, str):
            (self._out if self._alt is None else self._alt).append(_MARKS[event])
            return
        kind, value = next(iter(event.items()))
        if kind == "Start":
            self._start(value)
        elif kind == "End":
            self._end(value, span)
        elif kind in {"InlineMath", "DisplayMath"}:
            self._formula(str(value), self._slice(**span))
        else:
            self._inline(kind, value)

    # Elements

    def _start(self, tag: Any) -> None:
        name, data = (tag, None) if isinstance(tag, str) else next(iter(tag.items()))
        # A direction is found once, for the outermost block; inside it the stylesheet takes over.
        direction = "" if self._closers else ' dir="auto"'
        if self._alt is not None:
            self._closers.append("")
        elif simple := _SIMPLE.get(name):
            self._open(*simple)
        elif directed := _DIRECTED.get(name):
            self._open(directed[0] % direction, directed[1])
        else:
            self._openers[name](self, data, direction)
        self._deepest = max(self._deepest, len(self._closers))

    def _open(self, opening: str, closing: str) -> None:
        self._out.append(opening)
        self._closers.append(closing)

    def _end(self, tag: Any, span: Range) -> None:
        closer = self._closers.pop()
        if self._alt is not None:
            if len(self._closers) == self._image_depth:
                self._end_image(self._alt)
        elif self._code is not None:
            self._end_code(self._code, closer, span)
        elif tag == "Link":
            self._end_link()
        else:
            self._out.append(closer)
            if tag == "TableHead":
                self._cell_tag = "td"

    def _heading(self, data: dict[str, str], direction: str) -> None:
        name = _HEADINGS[data["level"]]
        self._open(f"<{name}{direction}>", f"</{name}>\n")

    def _list(self, first: int | None, direction: str) -> None:
        if first is None:
            self._open(f"<ul{direction}>\n", "</ul>\n")
        else:
            start = "" if first == 1 else f' start="{first}"'
            self._open(f"<ol{start}{direction}>\n", "</ol>\n")

    def _footnote_definition(self, label: str, direction: str) -> None:
        self._open(f'<div class="footnote"{direction}><sup>{escape(label)}</sup>\n', "</div>\n")

    # Tables

    def _table(self, alignments: tuple[str, ...], direction: str) -> None:
        self._cells = tuple(_ALIGNED[alignment] for alignment in alignments)
        self._open(f"<table{direction}>", "</tbody></table>\n")

    def _table_head(self, _: None, __: str) -> None:
        self._cell, self._cell_tag = 0, "th"
        self._open("<thead><tr>", "</tr></thead>\n<tbody>\n")

    def _table_row(self, _: None, __: str) -> None:
        self._cell = 0
        self._open("<tr>", "</tr>\n")

    def _table_cell(self, _: None, __: str) -> None:
        self._open(f"<{self._cell_tag}{self._cells[self._cell]}>", f"</{self._cell_tag}>")
        self._cell += 1

    # Code

    def _code_block(self, kind: str | dict[str, str], _: str) -> None:
        self._code = []
        self._closers.append("" if isinstance(kind, str) else kind["Fenced"])

    def _end_code(self, parts: list[str], info: str, span: Range) -> None:
        code, language = "".join(parts), language_of(info)
        coloured = None
        if language and self._budget.spent() < COLOUR_SHARE and is_closed(self._slice(**span)):
            coloured = highlight(language, code)
        self._figures.append(figure(language, coloured or escape(code, quote=False)))
        self._out.append(SLOT)
        self._code = None

    # Links and images

    def _start_link(self, data: dict[str, str], _: str) -> None:
        prefix = "mailto:" if data["link_type"] == "Email" else ""
        self._link = _OpenLink(destination(prefix + data["dest_url"]), [])
        self._closers.append("")
        if self._link.target:
            self._out.append(f'<a href="{escape(self._link.target.href)}">')

    def _end_link(self) -> None:
        link, self._link = self._link, None
        if link and link.target:
            self._out.append(link_end("".join(link.words), link.target))

    def _start_image(self, data: dict[str, str], _: str) -> None:
        self._alt = []
        self._image_depth = len(self._closers)
        self._closers.append("")
        self._image = data["dest_url"]

    def _end_image(self, alt: list[str]) -> None:
        self._alt = None
        words = " ".join("".join(alt).replace("<br>", "").split()) or "Image"
        target = destination(self._image)
        if self._link or not target:
            self._words(words)
        else:
            self._out.append(anchor(words, target))

    # Text

    def _inline(self, kind: str, value: Any) -> None:
        if self._alt is not None:
            self._alt.append(str(value))
        elif self._code is not None:
            self._code.append(value)
        elif kind == "Text" and self._link is None:
            self._running_text(value)
        elif kind == "TaskListMarker":
            self._out.append(task(done=value))
        elif kind == "FootnoteReference":
            self._footnote(value)
        elif kind == "Code":
            self._words(value, "code")
        else:
            self._words(value)

    def _words(self, text: str, element: str = "") -> None:
        if self._link:
            self._link.words.append(text)
        escaped = escape(text, quote=False)
        self._out.append(f"<{element}>{escaped}</{element}>" if element else escaped)

    def _running_text(self, text: str) -> None:
        done = 0
        for start, end, target in bare_addresses(text):
            self._out.append(escape(text[done:start], quote=False))
            self._out.append(anchor(text[start:end], target))
            done = end
        self._out.append(escape(text[done:], quote=False))

    def _formula(self, tex: str, source: str) -> None:
        self._budget.check()
        display = source.startswith(("$$", "\\["))
        html = None if self._link or self._alt is not None else formulas.mathml(tex, display=display)
        if html is None:
            self._inline("Code", source)
        else:
            self._out.append(f'<span class="formula">{html}</span>' if display else html)

    def _footnote(self, label: str) -> None:
        if _NOTE.fullmatch(label):
            self._words(label, "sup")
        else:
            # Far more often a character class that somebody forgot to mark as code.
            self._words(f"[^{label}]")

    _openers: ClassVar[dict[str, Callable[[Any, Any, str], None]]] = {
        "Heading": _heading,
        "List": _list,
        "FootnoteDefinition": _footnote_definition,
        "Table": _table,
        "TableHead": _table_head,
        "TableRow": _table_row,
        "TableCell": _table_cell,
        "CodeBlock": _code_block,
        "Link": _start_link,
        "Image": _start_image,
    }
