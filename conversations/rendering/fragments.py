"""The HTML that goes over the socket, in the language of htmx 2 and its ws extension.

Each top-level element of a frame is swapped by its `hx-swap-oob`: "innerHTML", "beforebegin",
"beforeend" and "delete" use the children of that element, so it never reaches the page itself. A
target that is not on the page loses its content, which is why every target but `#text-<id>` is one
that `snapshot` made. The shape on the page, while an answer runs:

    <div class="answer-text" data-text id="text-<id>">
      settled blocks <div class="tail" id="tail-<8 digits of id>">the open tail</div>
    </div>

In the tail, the element that grows (code, paragraph, list, table body) carries `data-open`. After `ending` there
is no tail, and the inside of `#text-<id>` is `markdown.render` of the text. Nothing is rendered here.
"""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.rendering.blocks import BlockStream, Ending, Patch
from conversations.rendering.markdown import escaped


def inside(mid: str, stream: BlockStream) -> SafeString:
    """What `#text-<id>` holds while the answer runs."""
    return format_html('{}<div class="tail" id="{}">{}</div>', stream.settled, _tail(mid), stream.tail)


def inline_state(mid: str, text: str) -> SafeString:
    """What `#text-<id>` holds for a running answer of which `text` is known, for a page being made."""
    stream = BlockStream()
    stream.feed(text)
    return inside(mid, stream)


def snapshot(mid: str, stream: BlockStream) -> str:
    """The first frame for a viewer: everything so far takes the place of what the answer holds."""
    return _swap("div", "innerHTML", f"#text-{mid}", inside(mid, stream))


def frame(mid: str, patch: Patch) -> str:
    """A later frame: what `patch` changed, or nothing at all (an empty frame need not be sent)."""
    tail = f"#{_tail(mid)}"
    if patch.rows:
        wrapper, grown = patch.rows.wrapper, f"{tail} [data-open]"
        # The wrapper is what may hold the rows: a parser drops a row that stands anywhere else.
        removed = _swap(wrapper, "delete", f"{grown}>:last-child") * patch.rows.replaced
        return removed + _swap(wrapper, "beforeend", grown, patch.rows.html)
    parts = []
    if patch.settled:
        parts.append(_swap("div", "beforebegin", tail, patch.settled))
    if patch.tail is not None:
        parts.append(_swap("div", "innerHTML", tail, patch.tail))
    if patch.append:
        parts.append(_swap("b", "beforeend", f"{tail} [data-open]", patch.append))
    return "".join(parts)


def ending(mid: str, end: Ending) -> str:
    """The last frame. Settled blocks stay the same nodes, and keep what a reader has selected in them."""
    if end.replace:
        return _swap("div", "innerHTML", f"#text-{mid}", end.html)
    tail = f"#{_tail(mid)}"
    rest = _swap("div", "beforebegin", tail, end.html) if end.html else ""
    return rest + _swap("div", "delete", tail)


def reasoning(mid: str, text: str, *, whole: bool) -> str:
    """A model's reasoning, which is plain text: appended, or (`whole`) in place of what stands there."""
    return _swap("div", "innerHTML" if whole else "beforeend", f"#reasoning-{mid}", escaped(text))


def _tail(mid: str) -> str:
    """The id of an open tail, of which a page has one: short, since every frame says it."""
    return f"tail-{mid[:8]}"


def _swap(element: str, style: str, target: str, html: str = "") -> str:
    return f'<{element} hx-swap-oob="{style}:{target}">{html}</{element}>'
