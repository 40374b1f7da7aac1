"""An open paragraph of plain words: what arrives can be appended as it stands, without reading the rest again.

What lives here: which text has no meaning in Markdown behind such a paragraph. Most of prose is such text; a frame
then costs its words, and not the paragraph.
"""

import re
from typing import Final

# None of these characters opens, closes or continues anything in the middle of a line. A slash may be part of an
# address and an ampersand of an entity; what has a meaning at the beginning of a line only is harmless behind a letter.
_PLAIN: Final = re.compile(r"[^\x00-\x1f!$&*/<>\[\\\]^_`|~\x7f]+")


def is_plain(piece: str) -> bool:
    """Whether `piece` is nothing but its characters, wherever in a line it stands."""
    return _PLAIN.fullmatch(piece) is not None


def takes_plain(source: str) -> bool:
    """Whether plain words behind the paragraph `source`, in which nothing is open, change nothing of it.

    Its last line begins with a letter, as nothing but text does, and the word that may go on is plain itself.
    A bracket at its very beginning may become the definition of a link, over several lines.
    """
    line = source[source.rfind("\n") + 1 :]
    word = line[line.rfind(" ") + 1 :]
    return line[:1].isalpha() and (not word or is_plain(word)) and not source.lstrip().startswith("[")


def visible(source: str) -> str:
    """What is seen of a paragraph that is still open: the spaces at its end wait for a word."""
    return source.rstrip(" ")
