"""What rules look for in texts: words, and patterns as RE2 reads them. Knows nothing of ours.

The time of a pattern grows with the text and never explodes, but a large one is slow all the same. So a pattern is
timed before it is taken, on texts that such patterns find hard: none can be thought of for all, which is why whoever
looks for one has to watch the time again.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import re2
from django.utils.translation import gettext, gettext_lazy, gettext_noop

SCANNED = 65_536  # characters of a text in which anything is looked for
PATTERN_BYTES = 1 << 20  # of memory for a compiled one
TRIAL_SECONDS = 0.05  # of processor time for one trial text; what people write takes less than a hundredth
TRIALS_SECONDS = 1.0  # for all of them
# Marks that go on the same letter beyond what any script puts there: putting them in order takes the square of them.
_HEAPS = re.compile(
    "(?<=[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{30})"
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
TRIAL_TEXTS = ("a", "refund 1234-5678, please. ", "xyz 日本語 été\n")  # over and over
TRIAL_CHARS = 64  # of the pattern's own, each over and over
REFUSALS = {  # RE2's words for what is wrong with a pattern, and ours
    "missing )": gettext_lazy("a bracket “(” is not closed"),
    "unexpected )": gettext_lazy("a bracket “)” was not opened"),
    "missing ]": gettext_lazy("a bracket “[” is not closed"),
    "trailing \\": gettext_lazy("it ends in a backslash"),
    "invalid escape sequence": gettext_lazy("there is no such escape, and no reference back to a group"),
    "invalid perl operator": gettext_lazy("there is no such group, and no looking ahead or behind"),
    "invalid named capture group": gettext_lazy("the name of a group is not complete"),
    "invalid character class": gettext_lazy("there is no such class of characters"),
    "invalid character class range": gettext_lazy("there is no such range of characters"),
    "no argument for repetition operator": gettext_lazy("nothing stands there to be repeated"),
    "bad repetition operator": gettext_lazy("one repetition follows another"),
    "pattern too large - compile failed": gettext_lazy("it is too large; use fewer or smaller repetitions"),
    "invalid repetition size": gettext_lazy("it repeats more than 1,000 times, or backwards"),
}
TOO_SLOW = gettext_lazy("This pattern takes too long. Use fewer or smaller repetitions.")

# What is kept beside an entry, and shown in whichever language somebody reads.
SAYS = gettext_noop("Says “%(words)s”.")
MATCHES = gettext_noop("Matches the pattern.")
MATCHES_WORDS = gettext_noop("Matches the pattern: “%(words)s”.")


class Unusable(ValueError):
    """A pattern that cannot be looked for, with a sentence that says why."""


class TooSlow(Exception):
    """Looking for it takes longer than it may."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text to look through: as it stands, and without capitals, accents and signs."""

    raw: str
    folded: str = ""

    @classmethod
    def of(cls, text: str, *, fold: bool) -> Text:
        """Folding takes its time, so it is done once for all words, and only where there are any to look for."""
        raw = text[:SCANNED]
        return cls(raw, f" {_folded(raw)} "[: 2 * SCANNED] if fold else "")

    def up_to(self, chars: int) -> Text:
        """Its beginning."""
        return self if len(self.raw) <= chars else Text(self.raw[:chars], self.folded[:chars])


class Words:
    """Words and phrases, whatever their case and accents."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = [(word, _needle(word)) for word in words]

    def find(self, texts: Sequence[Text]) -> str:
        """What to say of the first of them that stands in a text as words of its own; empty where none does."""
        for word, needle in self.words:
            if needle and any(needle in text.folded for text in texts):
                return SAYS % {"words": word}
        return ""


class Pattern:
    """A pattern. Raises Unusable where it is none."""

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        options.max_mem = PATTERN_BYTES
        try:
            self._compiled = re2.compile(pattern, options)
        except re2.error as error:
            raise Unusable(_refusal(error)) from error

    def find(self, texts: Sequence[Text]) -> str:
        """What to say of where it matches; empty where it does not."""
        for text in texts:
            if match := self._compiled.search(text.raw):
                words = " ".join(match.group().split())[:60]
                return MATCHES_WORDS % {"words": words} if words else MATCHES
        return ""


def check_pattern(pattern: str) -> None:
    """Raise Unusable for what is no pattern, and for one that takes long."""
    seeker, until = Pattern(pattern), time.thread_time() + TRIALS_SECONDS
    try:
        for text in _trial_texts(pattern):
            find(seeker, [text], TRIAL_SECONDS)
            if time.thread_time() > until:
                raise TooSlow
    except TooSlow as slow:
        raise Unusable(str(TOO_SLOW)) from slow


def find(seeker: Words | Pattern, texts: Sequence[Text], most: float) -> str:
    """What is found. Raises TooSlow where that takes more than `most` seconds of processor time.

    Nothing can end a search that is under way, so that the beginnings of the texts are tried first.
    """
    said = ""
    for chars, seconds in ((SCANNED // 8, most / 2), (SCANNED, most)):
        some = [text.up_to(chars) for text in texts]
        said, took = _timed(seeker, some)
        # Where it is not clear once more, for what else this thread may have had to do meanwhile.
        if took > 4 * seconds or (took > seconds and _timed(seeker, some)[1] > seconds):
            raise TooSlow
    return said


def _timed(seeker: Words | Pattern, texts: Sequence[Text]) -> tuple[str, float]:
    began = time.thread_time()
    return seeker.find(texts), time.thread_time() - began


def _trial_texts(pattern: str) -> Iterator[Text]:
    """Texts that patterns find hard, as long as one can be: of common characters, and of those that it names."""
    named = re.sub(r"\\x(?:\{([0-9a-fA-F]{1,5})\}|([0-9a-fA-F]{2}))", _character, pattern)
    letters = "".join(c for c in named if c.isalnum())
    for some in (*TRIAL_TEXTS, *list(dict.fromkeys(named))[:TRIAL_CHARS], named, letters):
        yield Text((some * (SCANNED // max(len(some), 1) + 1))[:SCANNED])


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1] or escape[2], 16)).encode("utf-8", "replace").decode()


def _needle(word: str) -> str:
    folded = _folded(word)
    # Scripts without spaces between words (CJK, Thai) have no edges to look for.
    spaceless = any("\u0e00" <= c <= "\u0eff" or c >= "\u2e80" for c in folded)
    return folded if spaceless or not folded else f" {folded} "


def _folded(text: str) -> str:
    text = _HEAPS.sub("", text.casefold())
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in bare).split())


def _refusal(error: re2.error) -> str:
    """What is wrong with a pattern and where."""
    said: Any = error.args[0] if error.args else ""
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    what, _, where = said.partition(": ")
    wrong = {"wrong": REFUSALS.get(what, what), "where": where}
    if where:
        return gettext("This pattern cannot be used: %(wrong)s, at “%(where)s”.") % wrong
    return gettext("This pattern cannot be used: %(wrong)s.") % wrong
