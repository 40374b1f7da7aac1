"""Nothing that a model can write is live on a page: not whole, not in any frame, wherever it is cut."""

import re
import time
from pathlib import Path

import pytest

from conversations.rendering import fragments
from conversations.rendering.blocks import BlockStream
from conversations.rendering.highlight import LANGUAGES, PALETTE, SECONDS, highlight
from conversations.rendering.markdown import render
from tests.rendering.corpus import ANSWER, BLOCKS, BOMBS, DEFINITIONS, HOSTILE, PROSE
from tests.rendering.dom import Element, Page, parse

MID = "0f0e"
ONCE = re.compile(r"")
DIRECTION = {"dir": re.compile("auto")}
LENGTH = re.compile(r"(-?(0|0?\.\d+|1)|[123]?\.?\d*|4)(em)?")
FLAG = re.compile("true|false")
CELL = {"class": re.compile("left|center|right")}
# Every element and attribute value that an answer may have on a page.
ALLOWED: dict[str, dict[str, re.Pattern[str]]] = {
    **dict.fromkeys(("h3", "h4", "h5", "h6", "blockquote", "table"), DIRECTION),
    **{tag: {} for tag in ("em", "strong", "del", "sup", "br", "hr", "li", "thead", "tr", "figcaption")},
    **dict.fromkeys(("th", "td"), CELL),
    "p": {**DIRECTION, "class": re.compile("plain"), "data-open": ONCE},
    "ul": {**DIRECTION, "data-open": ONCE},
    "ol": {**DIRECTION, "data-open": ONCE, "start": re.compile(r"\d{1,9}")},
    "tbody": {"data-open": ONCE},
    "code": {"data-open": ONCE},
    "pre": {"tabindex": re.compile("0")},
    "figure": {"class": re.compile("code"), "dir": re.compile("ltr")},
    "button": {
        "type": re.compile("button"),
        "data-copy-code": ONCE,
        "data-wrap-code": ONCE,
        "aria-pressed": re.compile("false"),
    },
    "a": {
        "href": re.compile(r"(https?://[^/\s<>\"'\\@][^\s<>\"]*)|mailto:[^\s<>\"]+"),
        "target": re.compile("_blank"),
        "rel": re.compile("noopener noreferrer nofollow"),
    },
    "span": {
        "tabindex": re.compile("0"),
        "class": re.compile("|".join(["formula", "host", "task", "language", *PALETTE])),
        "role": re.compile("img"),
        "aria-label": re.compile("Done|Not done"),
    },
    **{tag: {} for tag in ("mrow", "mn", "mtext", "mtr", "mphantom", "mroot")},
    **{tag: {} for tag in ("msqrt", "msup", "msub", "msubsup", "munder", "munderover")},
    "math": {"display": re.compile("block")},
    "mi": {"mathvariant": re.compile("normal")},
    "mo": {
        **dict.fromkeys(("stretchy", "movablelimits", "symmetric", "fence", "largeop"), FLAG),
        **dict.fromkeys(("lspace", "rspace", "minsize", "maxsize"), LENGTH),
    },
    "mover": {"accent": FLAG},
    "mfrac": {"linethickness": re.compile("0")},
    "mspace": dict.fromkeys(("width", "height", "depth"), LENGTH),
    "menclose": {"class": re.compile("boxed")},
    "mtable": {"displaystyle": FLAG, "scriptlevel": re.compile("[0-3]")},
    "mtd": {"class": re.compile("left|right")},
    "div": {
        **DIRECTION,
        "class": re.compile("table|footnote|tail"),
        "tabindex": re.compile("0"),
        "role": re.compile("region"),
        "aria-label": re.compile("Table"),
        "id": re.compile(f"tail-{MID[:8]}"),
    },
}
SWAP = re.compile(
    rf"(innerHTML|beforebegin|delete):#tail-{MID[:8]}|innerHTML:#text-{MID}"
    rf"|beforeend:#tail-{MID[:8]} \[data-open\]|delete:#tail-{MID[:8]} \[data-open\]>:last-child"
)


def assert_inert(tree: Element) -> None:
    for element in tree.walk():
        assert element.tag in ALLOWED, element.tag
        for name, value in element.attributes.items():
            rule = ALLOWED[element.tag].get(name)
            assert rule is not None, f"{name} on {element.tag}"
            assert rule.fullmatch(value or ""), f"{name}={value!r} on {element.tag}"
    assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069]", tree.text())


def assert_frame_inert(frame: str) -> None:
    for element in parse(frame).children:
        assert isinstance(element, Element)
        assert set(element.attributes) == {"hx-swap-oob"}
        assert SWAP.fullmatch(element.attributes["hx-swap-oob"] or "")
        assert_inert(element)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_whole(text: str) -> None:
    for context in (
        "{}",
        "- {}",
        "> {}",
        "**{}**",
        "[{}](https://e.example)",
        "| a |\n|---|\n| {} |",
        "    {}",
    ):
        assert_inert(parse(render(context.format(text))))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_cut_everywhere(text: str) -> None:
    """Two pieces, cut at every place; and one character at a time, in the middle of an answer."""
    for at in range(len(text) + 1):
        stream = BlockStream()
        frames = [fragments.frame(MID, stream.feed(piece)) for piece in (text[:at], text[at:])]
        frames += [fragments.snapshot(MID, stream), fragments.ending(MID, stream.finish())]
        assert_frame_inert("".join(frames))
    page, stream = Page(MID), BlockStream()
    page.take(fragments.snapshot(MID, stream))
    whole = f"Before\n\n{text}\n\nAfter"
    for piece in whole:
        frame = fragments.frame(MID, stream.feed(piece))
        assert_frame_inert(frame)
        page.take(frame)
        assert_inert(page.answer)
    page.take(fragments.ending(MID, stream.finish()))
    assert page.answer.html() == parse(render(whole)).html()


@pytest.mark.parametrize("text", [*PROSE, *BLOCKS, *DEFINITIONS, ANSWER])
def test_ordinary_is_within_the_same_list(text: str) -> None:
    assert_inert(parse(render(text)))


TRIES = 3  # processor time too is more where neighbours empty the caches


@pytest.mark.parametrize("name", BOMBS)
def test_bomb(name: str) -> None:
    """Rendered whole within 300 ms, and arriving in pieces never longer than a frame may take beside the event loop."""
    text = BOMBS[name]
    html = ""
    spent: list[float] = []
    while len(spent) < TRIES and min(spent, default=1.0) > 0.3:
        began = time.thread_time()
        html = render(text)
        spent.append(time.thread_time() - began)
    assert min(spent) < 0.3
    stream = BlockStream()
    step = len(text) // 200 + 1
    slowest = quick = 0.0
    began = time.thread_time()
    for at in range(0, len(text), step):
        piece = text[at : at + step]
        beside = stream.is_laborious(piece)
        before = time.thread_time()
        stream.feed(piece)
        slowest = max(slowest, time.thread_time() - before)
        quick = quick if beside else max(quick, time.thread_time() - before)
    assert slowest < 1
    assert quick < 0.1, "on the event loop"
    assert time.thread_time() - began < 3
    end = stream.finish()
    # Whether it is plain in the end depends on the time that was left, so only that it is there is sure.
    assert bool(stream.settled + end.html) == bool(html)


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_no_rule_of_a_lexer_holds_the_interpreter(name: str) -> None:
    """While a pattern is matched, nothing else of the process runs, and nothing can end it."""
    highlight(name, "x\n")  # the first of a language makes its rules
    for text in (" " * 999 + "\n", "a\n", "a b ", "\t", "a<b,", "(", "\r", "a.", "0", '"', "<", "\u2028"):
        code = "x\n" + (text * 6_000)[:6_000]
        began = time.thread_time()
        highlight(name, code)
        # Looking ahead is bounded, so what is over the time that a block has is one rule's last look.
        assert time.thread_time() - began < SECONDS + 0.1, repr(text)


def test_text_is_trusted_in_one_place_only() -> None:
    root = Path(render.__code__.co_filename).parent
    assert [path.name for path in sorted(root.glob("*.py")) if "mark_safe" in path.read_text()] == [
        "markdown.py"
    ]
