"""Formulas: which parts of a text are TeX, and the MathML that they become.

Models write `$x$`, `$$x$$`, `\\(x\\)` and `\\[x\\]`; Markdown's reader knows the dollars only, and takes two prices for
a formula. So the text is marked first, byte for byte as long as it was. What comes out of the converter is written
anew with the elements and attributes named here; it is not trusted yet.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import pyromark
from math_core import LatexError, LatexToMathML
from pyromark import Options
from pyromark.event import Event, Range

# A dollar that is money. `plaintext` has taken this character out of every text.
_MONEY: Final = "\x01"
# In the address of a link a dollar stays what it is.
_DOLLARS: Final = re.compile(
    r"\\.|(?<=[(<])https?://\S+|(?P<end>\n[ \t]*\n)|(?P<two>\$\$)|(?P<one>\$)", re.DOTALL
)
_BRACKETS: Final = re.compile(rb"\\(?P<mark>.)|\n[ \t]*\n", re.DOTALL)
_CLOSING: Final = {b"(": b")", b"[": b"]"}
# A bracket that begins a line, or an item or quote in it: within a line it is far more often one of Markdown's own.
_BEFORE_DISPLAY: Final = b" \t>*+-.0123456789"

_INDENT: Final = 64  # bytes at most before such a bracket

LONGEST: Final = 1_000
# The converter calls itself for every command and brace that is open, with up to 2.7 KB of stack for two of them:
# this many are half a megabyte at most, and a thread has eight. Deeper ones would end the process.
MOST_OPENERS: Final = 400
_OPENERS: Final = re.compile(r"[\\{]")
# It takes twice as long for each bracket that nothing closes, and lets no other thread run meanwhile. What may be one
# is all that is not known to be none.
MOST_BRACKETS: Final = 12
_NO_BRACKETS: Final = re.compile(
    r"[\w\s+\-*=,;:.!'^&{}~)\]]+"
    r"|\\(?:[ ,;:!\\}]|(?:d|t)?frac|sqrt|text(?:bf|it|rm)?|math(?:bb|bf|cal|frak|it|rm|sf)|operatorname\*?|boxed"
    r"|begin\{(?:aligned|align\*?|p?matrix|cases)\}|end\{(?:aligned|align\*?|p?matrix|cases)\}|left[.(\[|]|right[.)\]|]"
    r"|alpha|beta|[gG]amma|[dD]elta|(?:var)?epsilon|zeta|eta|(?:var)?[tT]heta|iota|kappa|[lL]ambda|mu|nu|[xX]i|[pP]i"
    r"|rho|[sS]igma|tau|upsilon|(?:var)?[pP]hi|chi|[pP]si|[oO]mega|infty|partial|nabla|ell|hbar"
    r"|sum|prod|int|lim|log|ln|exp|sin|cos|tan|max|min|cdots?|ldots|dots|times|pm|div|leq?|geq?|neq?|approx|equiv|sim"
    r"|propto|in|to|rightarrow|Rightarrow|implies|mapsto|cup|cap|subseteq|subset|forall|exists|quad|qquad"
    r"|hat|bar|tilde|vec|dot|overline|underline|limits)(?![A-Za-z])"
)
_WIDEST = 4.0  # em: wider ones would move a formula over other words, as negative ones would

_CONVERTER: Final = LatexToMathML(max_expansions=0, fancy_error=False)
_TAG: Final = re.compile(r"<(/?)(\w+)([^<>]*?)(/?)>")
_ATTRIBUTE: Final = re.compile(r' ([\w-]+)="([^"<>]*)"')
_LENGTH: Final = re.compile(r"(-?\d*\.?\d+)(?:em)?")
_ALIGN: Final = re.compile(r"text-align: (left|right)")
_FLAGS: Final = frozenset({"true", "false"})
ELEMENTS: Final = frozenset({
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mphantom", "menclose"),
    *("mfrac", "msqrt", "mroot", "msup", "msub", "msubsup", "mover", "munder", "munderover"),
    *("mmultiscripts", "mprescripts", "mtable", "mtr", "mtd"),
})  # fmt: skip
VALUES: Final = {
    "display": frozenset({"block"}),
    "mathvariant": frozenset({"normal"}),
    "scriptlevel": frozenset("0123"),
    "linethickness": frozenset({"0"}),
    **dict.fromkeys(
        ("displaystyle", "stretchy", "movablelimits", "accent", "accentunder", "symmetric"), _FLAGS
    ),
    **{"form": frozenset({"prefix", "infix", "postfix"}), "fence": _FLAGS, "largeop": _FLAGS},
}
MOST_SIGNS: Final = 10_000  # of beginnings and ends of formulas in a text: beyond that none is one
LENGTHS: Final = frozenset({"width", "height", "depth", "lspace", "rspace", "minsize", "maxsize"})


def events(source: str, options: Options) -> Iterator[tuple[Event, Range]]:
    """What Markdown's reader says of a cleaned `source`, formulas included; ranges count the bytes of `source`."""
    signs = sum(map(source.count, ("$", "\\(", "\\[")))
    if not 0 < signs <= MOST_SIGNS:
        yield from pyromark.events_with_range(source, options=options, merge_text=True)
        return
    marked = _without_money(_with_dollars(source, options))
    money = _MONEY in marked
    for event, span in pyromark.events_with_range(
        marked, options=options | Options.ENABLE_MATH, merge_text=True
    ):
        yield (_with_money(event) if money else event), span


@lru_cache(512)
def mathml(tex: str, *, display: bool) -> str | None:
    """The MathML of a formula; None where it is none, or larger than a formula is."""
    if len(tex) > LONGEST or len(_OPENERS.findall(tex)) > MOST_OPENERS or _brackets(tex) > MOST_BRACKETS:
        return None
    try:
        written = _CONVERTER.convert_with_local_state(tex, displaystyle=display)
        return _TAG.sub(_tag, written)
    except (LatexError, _UnfitError):
        return None


def _brackets(tex: str) -> int:
    """How many of its tokens may be brackets."""
    rest = _NO_BRACKETS.sub(" ", tex)
    return len(re.findall(r"\\[A-Za-z]+|\S", rest))


class _UnfitError(Exception):
    """A length that no formula has."""


def _tag(match: re.Match[str]) -> str:
    closing, name, attributes, empty = match.groups()
    if name not in ELEMENTS:
        return ""
    kept = "".join(_attribute(name, *each) for each in _ATTRIBUTE.findall(attributes))
    return f"<{closing}{name}{kept}>" + (f"</{name}>" if empty else "")


def _attribute(element: str, name: str, value: str) -> str:
    if value in VALUES.get(name, ()):
        return f' {name}="{value}"'
    if name in LENGTHS and (length := _LENGTH.fullmatch(value)):
        if not 0 <= float(length[1]) <= _WIDEST:
            raise _UnfitError
        return f' {name}="{value}"'
    if element == "mtd" and name == "style" and (align := _ALIGN.match(value)):
        return f' class="{align[1]}"'
    return ' class="boxed"' if element == "menclose" and value == "box" else ""


def _with_dollars(source: str, options: Options) -> str:
    """`source` with dollars in place of TeX's own brackets, outside code."""
    if "\\(" not in source and "\\[" not in source:
        return source
    raw = bytearray(source.encode())
    words = bytearray(raw)
    for start, end in _code(source, options):
        words[start:end] = b" " * (end - start)
    for opened, closed in _bracketed(bytes(words)):
        raw[opened : opened + 2] = raw[closed - 2 : closed] = b"$$"
    return raw.decode()


def _code(source: str, options: Options) -> Iterator[tuple[int, int]]:
    """The ranges of code in bytes, in order."""
    for event, span in pyromark.events_with_range(source, options=options, merge_text=True):
        if isinstance(event, dict):
            kind, value = next(iter(event.items()))
            if kind == "Code" or (kind == "Start" and isinstance(value, dict) and "CodeBlock" in value):
                yield span["start"], span["end"]


def _bracketed(words: bytes) -> Iterator[tuple[int, int]]:
    """Where TeX's brackets begin and end that stand in one paragraph."""
    opened, closing = -1, b""
    for match in _BRACKETS.finditer(words):
        mark = match["mark"]
        if mark is None:
            closing = b""
        elif mark == closing:
            yield opened, match.end()
            closing = b""
        elif not closing and mark in _CLOSING and (mark == b"(" or _begins_line(words, match.start())):
            opened, closing = match.start(), _CLOSING[mark]


def _begins_line(words: bytes, position: int) -> bool:
    before = words[max(0, position - _INDENT) : position]
    line = before[before.rfind(b"\n") + 1 :]
    return len(line) < _INDENT and not line.strip(_BEFORE_DISPLAY)


def _without_money(source: str) -> str:
    """`source` in which dollars are left only where two of them hold a formula."""
    parts, done = [], 0
    for start, end in sorted(_money(source)):
        parts += [source[done:start], _MONEY * (end - start)]
        done = end
    return "".join([*parts, source[done:]])


def _money(source: str) -> Iterator[tuple[int, int]]:
    """Where dollars stand that hold no formula: as in Pandoc, one opens before and closes behind something, and none
    stands between letters or digits."""
    opened: re.Match[str] | None = None
    for match in _DOLLARS.finditer(source):
        kind = match.lastgroup
        if kind is None or (kind == "one" and opened and opened.lastgroup == "two"):
            continue
        if opened and kind == opened.lastgroup and (kind == "two" or _closes(source, match)):
            opened = None
            continue
        if opened:
            yield opened.span()
        opened = match if kind == "two" or (kind == "one" and _opens(source, match)) else None
        if opened is None and kind == "one":
            yield match.span()
    if opened:
        yield opened.span()


def _opens(source: str, match: re.Match[str]) -> bool:
    before, after = source[match.start() - 1 : match.start()], source[match.end() : match.end() + 1]
    return not before.isalnum() and bool(after) and not after.isspace()


def _closes(source: str, match: re.Match[str]) -> bool:
    before, after = source[match.start() - 1 : match.start()], source[match.end() : match.end() + 1]
    return not before.isspace() and not after.isalnum()


def _with_money(event: Any) -> Any:
    """An event with the dollars that were money."""
    if isinstance(event, str):
        return event.replace(_MONEY, "$")
    if isinstance(event, dict):
        return {name: _with_money(value) for name, value in event.items()}
    return event
