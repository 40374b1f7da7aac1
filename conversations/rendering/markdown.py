"""Markdown to HTML that a page may trust: the only sanitiser, and the only place with `mark_safe`.

The words of a model are hostile input. They pass three doors: `plaintext` takes out characters that
reorder a page, `writer` writes every element itself and knows no raw HTML, and the allow-list below
holds even if the first two are wrong. Only then are frames of trusted markup put around code and
tables. No other module may mark a string as safe.
"""

import re
from collections.abc import Iterable
from html import escape
from itertools import chain
from typing import Final

import nh3
from django.utils.safestring import SafeString, mark_safe

from conversations.rendering import formulas
from conversations.rendering.budget import Budget, OverBudgetError
from conversations.rendering.markup import BOX, DONE, SLOT, UNDONE, figure, plain, words
from conversations.rendering.plaintext import clean
from conversations.rendering.writer import Block, write

LONGEST: Final = 512 * 1024
# Leaves room for the sanitiser, which takes 0.12 s for the most HTML there may be, within the 300 ms of a text.
SECONDS: Final = 0.15
# What an open tail may cost: it is shown for a moment.
PART_SECONDS: Final = 0.04
MOST_HTML: Final = 4 * LONGEST

_CLEANER: Final = nh3.Cleaner(
    tags={
        *("p", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "hr", "br", "div", "pre"),
        *("table", "thead", "tbody", "tr", "th", "td"),
        *("a", "em", "strong", "del", "code", "sup", "span"),
        *formulas.ELEMENTS,
    },
    # Without the empty set nh3 keeps `title` and `lang` on every element.
    attributes={
        **{"*": set(), "a": {"href"}, "ol": {"start"}},
        **{element: set(formulas.LENGTHS) for element in formulas.ELEMENTS},
    },
    tag_attribute_values={
        "p": {"class": {"plain"}, "dir": {"auto"}},
        "div": {"class": {"footnote"}, "dir": {"auto"}},
        "span": {"class": {"task", "host", "formula"}, "role": {"img"}, "aria-label": {DONE, UNDONE}},
        **{tag: {"dir": {"auto"}} for tag in ("h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table")},
        **{tag: {"class": {"left", "center", "right"}} for tag in ("th", "td")},
        **dict.fromkeys(formulas.ELEMENTS, formulas.VALUES),
        "mtd": {"class": {"left", "right"}},
        "menclose": {"class": {"boxed"}},
    },
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    clean_content_tags=set(),
)
_TABLE: Final = '<div class="table" tabindex="0" role="region" aria-label="{}"><table'

_FORMULA: Final = '<span class="formula" tabindex="0">'

_PARAGRAPH: Final = '<p dir="auto">'
OPEN_WORDS: Final = '<p dir="auto" data-open>'
_CONTAINER: Final = re.compile(r"<tbody>|<[uo]l[^>]*>")
_ROWS: Final = re.compile(
    r"<[uo]l[^>]*>\n(?P<rows>.*)</[uo]l>\n|<div[^>]*><table.*?<tbody>\n(?P<cells>.*)</tbody></table></div>\n",
    re.DOTALL,
)


def render(text: str) -> SafeString:
    """The whole of a text; as plain text where it is too long or too laborious."""
    return render_clean(clean(text))


def read_only(text: str) -> SafeString:
    """The whole of a text for a page without scripts: nothing in it is to be pressed."""
    return mark_safe(render(text).replace(words().controls, ""))  # noqa: S308 - text cannot hold that tag: a constant goes


def render_part(source: str) -> SafeString:
    """A part of a text as it looks now, from cleaned source; plain sooner than the whole would be."""
    return render_clean(source, PART_SECONDS)


def render_clean(text: str, seconds: float = SECONDS) -> SafeString:
    """`render` for a text that went through `plaintext` already."""
    if len(text) > LONGEST:
        return mark_safe(plain(text))  # noqa: S308 - `plain` escapes
    try:
        return _trust(write(text, Budget(seconds)))
    except OverBudgetError:
        return mark_safe(plain(text))  # noqa: S308 - `plain` escapes


def render_settled(source: str) -> tuple[SafeString, int]:
    """All top-level blocks but the last, and where in `source` the last one begins."""
    try:
        blocks = write(source, Budget(SECONDS))
    except OverBudgetError:
        return SafeString(), 0
    if len(blocks) < 2:
        return SafeString(), 0
    start = blocks[-1].start if source.isascii() else len(source.encode()[: blocks[-1].start].decode())
    return _trust(blocks[:-1]), source.rfind("\n", 0, start) + 1


def open_code(language: str, code: str) -> SafeString:
    """A code block that is still growing: text is appended to the element marked `data-open`."""
    return mark_safe(figure(language, escape(code, quote=False), growing=True))  # noqa: S308 - escaped


def growing_rows(source: str) -> SafeString:
    """A list or a table that is still growing: rows are appended to the element marked `data-open`."""
    html = str(render_part(source))
    opening = _CONTAINER.search(html)
    if opening is None:
        return mark_safe(html)  # noqa: S308 - as it was trusted before
    end = opening.end() - 1
    return mark_safe(f"{html[:end]} data-open{html[end:]}")  # noqa: S308 - a constant goes in


def growing_words(source: str) -> SafeString:
    """An open tail; where it is one paragraph, that is marked `data-open`, for text may be appended to it."""
    html = str(render_part(source))
    if html.startswith(_PARAGRAPH) and html.find("<p", 1) < 0 and html.endswith("</p>\n"):
        html = OPEN_WORDS + html[len(_PARAGRAPH) :]
    return mark_safe(html)  # noqa: S308 - a constant goes in


def rows_of(source: str, skipped: int) -> SafeString | None:
    """The rows alone of a source that is one list or table, without the first `skipped` of a list."""
    match = _ROWS.fullmatch(render_part(source))
    if match is None:
        return None
    rows = match["rows"] if match["rows"] is not None else match["cells"]
    for _ in range(skipped):
        rows = rows.partition("</li>\n")[2]
    return mark_safe(rows)  # noqa: S308 - cut out of trusted HTML at the ends of elements


def escaped(text: str) -> SafeString:
    """`text` to be appended inside an element that shows text as it stands."""
    return mark_safe(escape(text, quote=False))  # noqa: S308 - escaped


def joined(parts: Iterable[SafeString]) -> SafeString:
    """Trusted pieces in a row, still trusted."""
    return mark_safe("".join(parts))  # noqa: S308 - every part was trusted before


def _trust(blocks: list[Block]) -> SafeString:
    html = "".join(block.html for block in blocks)
    if len(html) > MOST_HTML:
        raise OverBudgetError
    html = _CLEANER.clean(html)
    # Text cannot hold these tags: the sanitiser has written every "<" of it as an entity.
    if "<table" in html or "<span" in html:  # seldom in the tail of an answer, which comes with each piece
        told = words()
        html = html.replace(BOX.format(DONE), told.done).replace(BOX.format(UNDONE), told.undone)
        html = html.replace("<table", _TABLE.format(told.table)).replace("</table>", "</table></div>")
        html = html.replace('<span class="formula">', _FORMULA)
    figures = chain.from_iterable(block.figures for block in blocks)
    between, *rest = html.split(SLOT)
    return mark_safe(  # noqa: S308 - cleaned above, and `figure` escapes
        "".join([between, *chain.from_iterable(zip(figures, rest, strict=True))])
    )
