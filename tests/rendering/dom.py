"""A page small enough to read: the part of a browser and of htmx that frames of an answer rely on.

The swap styles behave as `oobSwap` of htmx 2.0.10 does, which `test_browser.py` holds against the
real one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "meta", "link", "base"}
# Between these, white space is nothing.
_ROWS = {"ul", "ol", "table", "tbody", "thead", "tr"}


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)
    parent: "Element | None" = None

    def walk(self) -> Iterator["Element"]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def append(self, child: "Element | str") -> None:
        if isinstance(child, Element):
            child.parent = self
            self.children.append(child)
        elif self.children and isinstance(self.children[-1], str):
            self.children[-1] += child
        else:
            self.children.append(child)

    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def html(self, *, tidy: bool = False) -> str:
        """What is inside; `tidy` leaves out the white space between rows."""
        parts = []
        for child in self.children:
            if isinstance(child, Element):
                parts.append(child.outer(tidy=tidy))
            elif not (tidy and self.tag in _ROWS and child.isspace()):
                parts.append(escape(child, quote=False))
        return "".join(parts)

    def outer(self, *, tidy: bool = False) -> str:
        attributes = "".join(f' {name}="{value or ""}"' for name, value in sorted(self.attributes.items()))
        inside = "" if self.tag in VOID else f"{self.html(tidy=tidy)}</{self.tag}>"
        return f"<{self.tag}{attributes}>{inside}"


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Element("root")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {attrs}"
        element = Element(tag, dict(attrs))
        self.here.append(element)
        if tag not in VOID:
            self.here = element

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl!r}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data!r}")


def parse(html: str) -> Element:
    """The tree of well-formed HTML; an AssertionError for any other."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert builder.here is builder.root, f"<{builder.here.tag}> is not closed"
    return builder.root


class Page:
    """A page with one running answer, which takes frames."""

    def __init__(self, mid: str) -> None:
        self.root = parse(f'<div id="reasoning-{mid}"></div><div id="text-{mid}"></div>')
        self.mid = mid

    @property
    def answer(self) -> Element:
        return self._find(f"#text-{self.mid}")

    @property
    def tail(self) -> Element:
        return self._find(f"#tail-{self.mid}")

    def take(self, frame: str) -> None:
        for element in parse(frame).children:
            assert isinstance(element, Element), f"text outside of a swap: {element!r}"
            style, _, selector = str(element.attributes["hx-swap-oob"]).partition(":")
            self.swap(style, selector, element.children)

    def swap(self, style: str, selector: str, nodes: "list[Element | str]") -> None:
        target = self._find(selector)
        parent = target.parent
        assert parent is not None
        at = parent.children.index(target)
        if style == "delete":
            parent.children[at : at + 1] = []
        elif style == "beforebegin":
            before, after = parent.children[:at], parent.children[at:]
            parent.children = before
            for node in [*nodes, *after]:
                parent.append(node)
        else:
            assert style in ("innerHTML", "beforeend")
            if style == "innerHTML":
                target.children = []
            for node in nodes:
                target.append(node)

    def _find(self, selector: str) -> Element:
        match = re.fullmatch(r"#([\w-]+)( \[data-open\])?(>:last-child)?", selector)
        assert match, selector
        found = [element for element in self.root.walk() if element.attributes.get("id") == match[1]]
        if match[2]:
            found = [element for element in found[0].walk() if "data-open" in element.attributes]
        assert len(found) == 1, f"{selector} is there {len(found)} times"
        if match[3]:
            return [child for child in found[0].children if isinstance(child, Element)][-1]
        return found[0]
