"""A fenced code block at the end of an answer, while its closing fence has not arrived.

What lives here: which part of the arriving text is code that can be shown at once. The cost of a
piece does not depend on the length of the block.
"""

import re
from typing import Final, Self

from conversations.rendering.markup import language_of

_OPENING: Final = re.compile(
    r"(?:[ \t]*\n)*(?P<indent> {0,3})(?P<mark>`{3,}(?=[^`\n]*\n)|~{3,})(?P<info>[^\n]*)\n"
)


class OpenFence:
    """Text goes in as it was sent; code comes out, and in the end what follows the closing fence."""

    __slots__ = ("_indent", "_line_shown", "_mark", "_pending", "_raw", "_shown", "language")

    def __init__(self, opening: re.Match[str]) -> None:
        self.language = language_of(opening["info"])
        self._mark = opening["mark"]
        self._indent = len(opening["indent"])
        self._raw = [opening.group()]
        self._shown: list[str] = []
        self._pending = ""
        self._line_shown = False

    @classmethod
    def at_start_of(cls, source: str) -> tuple[Self, str] | None:
        """The fence that `source` begins with, and what follows its opening line."""
        if opening := _OPENING.match(source):
            return cls(opening), source[opening.end() :]
        return None

    @property
    def source(self) -> str:
        """Everything taken in, from the opening fence on."""
        return "".join(self._raw)

    @property
    def shown(self) -> str:
        """The code given out so far."""
        return "".join(self._shown)

    def may_close(self, text: str) -> bool:
        """Whether the block can end within `text`."""
        return self._mark[0] in text or (self._mark[0] in self._pending and "\n" in text)

    def feed(self, text: str) -> tuple[str, str | None]:
        """The code to append, and what stands behind the closing fence (None while there is none)."""
        fresh: list[str] = []
        *lines, partial = (self._pending + text).split("\n")
        taken = -len(self._pending)
        for line in lines:
            taken += len(line) + 1
            if not self._line_shown and self._closes(line):
                self._raw.append(text[:taken])
                return "", text[taken:]
            fresh.append((line if self._line_shown else self._unindented(line)) + "\n")
            self._line_shown = False
        self._raw.append(text)
        self._pending = partial
        if partial and (self._line_shown or partial.strip(" \t" + self._mark[0])):
            fresh.append(partial if self._line_shown else self._unindented(partial))
            self._pending, self._line_shown = "", True
        code = "".join(fresh)
        self._shown.append(code)
        return code, None

    def _closes(self, line: str) -> bool:
        mark = line.lstrip(" ")
        return (
            len(line) - len(mark) < 4
            and mark.startswith(self._mark)
            and not mark.rstrip(" \t").strip(self._mark[0])
        )

    def _unindented(self, line: str) -> str:
        return line[min(self._indent, len(line) - len(line.lstrip(" "))) :]
