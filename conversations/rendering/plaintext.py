"""The characters of an answer, before anybody reads them as Markdown.

What lives here: which characters are taken out or replaced, for a whole text and for one that
arrives in pieces. No markup is made here.
"""

import re
from typing import Final

REPLACEMENT: Final = "\ufffd"

# Left out: embeddings, overrides and isolates, which reorder the text around them (a file name or a
# host can be made to read backwards), and the control characters that mean nothing in HTML. The
# plain marks U+200E, U+200F and the joiners stay: scripts need them.
_REMOVED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CARRIAGE_RETURN: Final = re.compile("\r\n?")


def clean(text: str) -> str:
    """`text` with plain line ends and without characters that could harm the page around it."""
    if "\r" in text:
        text = _CARRIAGE_RETURN.sub("\n", text)
    text = _REMOVED.sub("", text)
    return text if text.isascii() else _SURROGATE.sub(REPLACEMENT, text)


class PieceCleaner:
    """`clean` for pieces: what it gives out, joined, is what `clean` makes of all pieces joined."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = False

    def feed(self, piece: str) -> str:
        """The next cleaned piece; a last carriage return waits, for a line feed may follow it."""
        if self._held and piece:
            piece = "\r" + piece
            self._held = False
        if piece.endswith("\r"):
            self._held = True
            piece = piece[:-1]
        return clean(piece)

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, False
        return "\n" if held else ""
