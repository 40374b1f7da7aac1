"""The pieces of markup around a model's words that more than one module writes.

What lives here: plain paragraphs, the frame of code, the end of a link. Every function escapes what
it is given, but for code that comes highlighted, which `highlight` has escaped.
"""

from html import escape
from typing import Final

from conversations.rendering.links import Destination, speaks_for_itself

# What a code block leaves in the HTML that is sanitised; its frame is put there afterwards.
SLOT: Final = "<pre></pre>"
# What can be done with a block of code.
CONTROLS: Final = (
    '<button type="button" data-wrap-code aria-pressed="false">Wrap lines</button>'
    '<button type="button" data-copy-code>Copy</button>'
)


def plain(text: str) -> str:
    """`text` as it stands; its line breaks are kept by the stylesheet (`white-space: pre-wrap`)."""
    return f'<p class="plain" dir="auto">{escape(text, quote=False)}</p>\n'


def figure(language: str, inner: str, *, growing: bool = False) -> str:
    """The frame of a code block around escaped or highlighted code."""
    label = escape(language[:30], quote=False) or "text"
    mark = " data-open" if growing else ""
    return (
        f'<figure class="code" dir="ltr"><figcaption><span class="language">{label}</span>{CONTROLS}</figcaption>'
        f'<pre tabindex="0"><code{mark}>{inner}</code></pre></figure>\n'
    )


def task(*, done: bool) -> str:
    """The box of a task, which a screen reader reads as a word."""
    label, glyph = ("Done", "☑") if done else ("Not done", "☐")
    return f'<span class="task" role="img" aria-label="{label}">{glyph}</span> '


def language_of(info: str) -> str:
    """The language named after an opening fence, or nothing."""
    return info.split(maxsplit=1)[0].strip("{}.,") if info.strip() else ""


def is_closed(source: str) -> bool:
    """Whether the source of a fenced block ends with its closing fence."""
    opener, _, rest = source.strip().partition("\n")
    mark = opener[: len(opener) - len(opener.lstrip(opener[:1]))]
    last = rest.rpartition("\n")[2].lstrip(" >\t")
    return bool(mark) and last.startswith(mark) and not last.strip(mark[0])


def anchor(words: str, target: Destination) -> str:
    """A whole link with plain words."""
    return f'<a href="{escape(target.href)}">{escape(words, quote=False)}{link_end(words, target)}'


def link_end(words: str, target: Destination) -> str:
    """The end of a link; it names the owner of the address where the words do not."""
    if speaks_for_itself(words, target):
        return "</a>"
    return f' <span class="host">{escape(target.owner)}</span></a>'
