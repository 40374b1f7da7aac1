"""What a page shows of its answers after each frame: htmx's swaps on a tree, and the numbers of the tokens in it.

Only answers are kept. A frame whose target is not on the page is lost, as it is in a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.bench.script import NUMBERED
from tests.rendering.dom import Element, parse

LIVE = ("", "pending", "running")
_SELECTOR = re.compile(r"#(text|tail)-([0-9a-f-]+)((?: \[data-open\])?)((?:>:last-child)?)")
_ARTICLE = re.compile(r"<article\b.*?</article>", re.DOTALL)


class Page:
    """The answers of a conversation's page, by the id of their message."""

    def __init__(self) -> None:
        self.answers: dict[str, Element] = {}
        self.status: dict[str, str] = {}

    def load(self, html: str) -> None:
        """Begin with a whole page, as it was served."""
        for article in _ARTICLE.findall(html):
            self._register(parse(article).children)

    def take(self, frame: str) -> set[str]:
        """Apply a frame, or the fragment that a form was answered with. Gives back the answers that it changed."""
        changed: set[str] = set()
        for element in parse(frame).children:
            if isinstance(element, Element) and (swap := element.attributes.get("hx-swap-oob")):
                changed |= self._swap(element, swap)
        return changed

    def text(self, mid: str) -> str:
        """The text that an answer shows."""
        return self.answers[mid].text()

    def numbers(self, mid: str) -> list[int]:
        """The numbers of the tokens that an answer shows, in the order of the page."""
        return [int(number) for number in NUMBERED.findall(self.text(mid))]

    def _swap(self, element: Element, swap: str) -> set[str]:
        style, _, selector = swap.partition(":")
        own = element.attributes.get("id") or ""
        if own.startswith("foot-"):
            self.status[own.removeprefix("foot-")] = element.attributes.get("data-status") or ""
        elif own == "messages":
            self.answers.clear()
            return self._register(element.children)
        elif selector == "#messages":
            return self._register(element.children)
        elif match := _SELECTOR.fullmatch(selector):
            # An open tail is named by the beginning of its message's id.
            for mid in [mid for mid in self.answers if mid.startswith(match[2])]:
                target = _found(self.answers[mid], *match.groups())
                if target is not None:
                    _put(style, target, element.children)
                    return {mid}
        return set()

    def _register(self, nodes: Iterable[Element | str]) -> set[str]:
        """Add articles; one that is there already is dropped, as the page's script does."""
        new = set()
        for node in nodes:
            if not isinstance(node, Element) or node.attributes.get("data-role") != "assistant":
                continue
            mid = (node.attributes.get("id") or "").removeprefix("message-")
            if mid not in self.answers:
                self.answers[mid] = next(e for e in node.walk() if e.attributes.get("id") == f"text-{mid}")
                self.status[mid] = node.attributes.get("data-status") or ""
                new.add(mid)
        return new


def _found(answer: Element, part: str, mid: str, opened: str, last: str) -> Element | None:
    target: Element | None = answer
    if part == "tail":
        target = next((each for each in answer.walk() if each.attributes.get("id") == f"tail-{mid}"), None)
    if target and opened:
        target = next((each for each in target.walk() if "data-open" in each.attributes), None)
    if target and last:
        target = next((each for each in reversed(target.children) if isinstance(each, Element)), None)
    return target


def _put(style: str, target: Element, nodes: list[Element | str]) -> None:
    parent = target.parent
    assert parent is not None
    at = next(index for index, child in enumerate(parent.children) if child is target)
    if style == "delete":
        del parent.children[at]
    elif style == "beforebegin":
        for node in nodes:
            if isinstance(node, Element):
                node.parent = parent
        parent.children[at:at] = nodes
    elif style in ("innerHTML", "beforeend"):
        if style == "innerHTML":
            target.children = []
        for node in nodes:
            target.append(node)
    else:
        raise AssertionError(f"a swap that is not known: {style}")
