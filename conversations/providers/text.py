"""Cleaning of model text, so that every store and every UTF-8 output takes it.

Only what would fail later is changed: NUL goes, since PostgreSQL refuses it, and unpaired surrogates
become U+FFFD, since no UTF-8 encoder takes them. Everything else is kept, control characters too.
"""


class Cleaner:
    """Cleans one run of text that arrives in pieces.

    Servers that cut text by UTF-16 units send an emoji as two halves in two pieces, so a high half at
    the end of a piece waits for the next one.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what of the text so far is certain and was not returned before."""
        if self._held:
            piece = self._held + piece
            self._held = ""
        if not piece.isascii():
            piece = self._join_halves(piece)
        return piece.replace("\0", "") if "\0" in piece else piece

    def flush(self) -> str:
        """Return what was held back: a half whose other half never came is one U+FFFD."""
        held, self._held = self._held, ""
        return "\ufffd" if held else ""

    def _join_halves(self, piece: str) -> str:
        try:
            piece.encode()
        except UnicodeEncodeError:
            if "\ud800" <= piece[-1] <= "\udbff":
                self._held = piece[-1]
                piece = piece[:-1]
            return piece.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return piece


def clean(text: str) -> str:
    """Clean a text that is there as a whole."""
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.flush()
