"""Markdown as the plain words of a snippet: the marks are taken off by patterns, and nothing is parsed.

For lists, where a rendering of each text would cost more than the list. Each pattern takes time in proportion to the
text: none can begin again within what it has read in vain.
"""

import re
from typing import Final

_LINES: Final = re.compile(
    r"^[ \t]{0,8}(?:`{3,}.*|~{3,}.*|[-*_=]{3,}[ \t]*|\|?[ \t]{0,8}:?-{2,}[-:| \t]*)$"  # fences, rules, tables
    r"|^[ \t]{0,3}(?:\#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?)",  # headings, quotes, lists
    re.MULTILINE,
)
_LINKS: Final = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\[\]\s]*(?:[ \t]+\"[^\"\n()\[\]]*\")?\)")
_MARKS: Final = re.compile(r"[*_~`|\\]+")


def plain(text: str) -> str:
    """`text`, which is Markdown, without its marks; the target of a link goes, its words stay."""
    text = _LINES.sub("", text)
    if "](" in text:
        text = _LINKS.sub(r"\1", text)
    return _MARKS.sub(_without_mark, text)


def _without_mark(found: re.Match[str]) -> str:
    """What stays of a run of marks: those that are none, as in 2 * 3, snake_case and C:\\temp."""
    run, text = found[0], found.string
    before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
    bare = not before.strip() and not after.strip()
    inside = before.isalnum() and after.isalnum()
    if "\\" in run:
        return run if run == "\\" and (after.isalnum() or not after.strip()) else run.replace("\\", "")
    if run == "|":
        return "" if bare else run
    if run == "~" or (run in {"*", "_", "__"} and (bare or inside)):
        return run
    return ""
