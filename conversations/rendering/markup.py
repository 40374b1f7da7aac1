"""The pieces of markup around a model's words that more than one module writes.

What lives here: plain paragraphs, the frame of code, the end of a link. Every function escapes what
it is given, but for code that comes highlighted, which `highlight` has escaped.
"""

from functools import lru_cache
from html import escape
from typing import Final, NamedTuple

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from conversations.rendering.links import Destination, speaks_for_itself

# What a code block leaves in the HTML that is sanitised; its frame is put there afterwards.
SLOT: Final = "<pre></pre>"
# The box of a task, as it is before its words are put in.
BOX: Final = '<span class="task" role="img" aria-label="{}">'
DONE, UNDONE = "Done", "Not done"


class Words(NamedTuple):
    """What stands around a model's words, in one language."""

    controls: str  # what can be done with a block of code
    text: str  # what a block of code is called that names no language
    table: str
    done: str
    undone: str


def words() -> Words:
    """Those of the language in which the page is."""
    return _words(get_language())


@lru_cache(16)
def _words(language: str | None) -> Words:
    wrap, copy = escape(_("Wrap lines")), escape(pgettext("code", "Copy"))
    return Words(
        f'<button type="button" data-wrap-code aria-pressed="false">{wrap}</button>'
        f'<button type="button" data-copy-code>{copy}</button>',
        escape(pgettext("code without a language", "text"), quote=False),
        escape(_("Table")),
        BOX.format(escape(pgettext("task", "Done"))),
        BOX.format(escape(pgettext("task", "Not done"))),
    )


def plain(text: str) -> str:
    """`text` as it stands; its line breaks are kept by the stylesheet (`white-space: pre-wrap`)."""
    return f'<p class="plain" dir="auto">{escape(text, quote=False)}</p>\n'


def figure(language: str, inner: str, *, growing: bool = False) -> str:
    """The frame of a code block around escaped or highlighted code."""
    told = words()
    label = escape(language[:30], quote=False) or told.text
    mark = " data-open" if growing else ""
    return (
        f'<figure class="code" dir="ltr"><figcaption><span class="language">{label}</span>{told.controls}</figcaption>'
        f'<pre tabindex="0"><code{mark}>{inner}</code></pre></figure>\n'
    )


def task(*, done: bool) -> str:
    """The box of a task, which a screen reader reads as a word: in English until it is cleaned."""
    label, glyph = (DONE, "☑") if done else (UNDONE, "☐")
    return f"{BOX.format(label)}{glyph}</span> "


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
