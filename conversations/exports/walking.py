"""One pass over an export: batch by batch, with short queries, and nothing kept but what was counted.

The same export gives the same lines in the same order each time, unless what it is made of was changed or deleted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from conversations.exports.formats import FORMATS
from conversations.exports.rows import Line
from conversations.models import AnswerRecord, Export

Version = tuple[str, int | None, str]  # persona, number, model


@dataclass(slots=True)
class Tally:
    """What a pass has counted so far."""

    answers: int = 0
    lines: int = 0
    duplicates: int = 0
    bytes: int = 0
    versions: Counter[Version] = field(default_factory=Counter)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def take(self, text: str) -> None:
        data = text.encode()
        self.bytes += len(data)
        self.digest.update(data)


class Walk:
    """A pass over `export` from its beginning, or from behind the answer `after`: then the tally lacks the rest.

    Of lines that must not come twice 16 bytes each are kept, so such a format is always walked from the beginning.
    """

    def __init__(self, export: Export, *, after: int = 0) -> None:
        self.format = FORMATS[export.kind]
        self.tally = Tally()
        self.whole = after == 0
        self._export = export
        self._after = after
        self._seen: set[bytes] = set()
        self.tally.take(self.format.head)

    def batch(self) -> list[Line] | None:
        """The lines of the next answers, which may be none; None at the end."""
        ahead = self.format.answers(self._export).filter(pk__gt=self._after).order_by("pk")
        records = list(ahead[: self.format.batch])
        if not records:
            return None
        lines = [line for line in self.format.lines(self._export, records) if self._is_new(line)]
        self._count(records, lines)
        self._after = records[-1].pk
        return lines

    def _is_new(self, line: Line) -> bool:
        if not self.format.unique:
            return True
        digest = hashlib.blake2b(line.text.encode(), digest_size=16).digest()
        if digest in self._seen:
            self.tally.duplicates += 1
            return False
        self._seen.add(digest)
        return True

    def _count(self, records: list[AnswerRecord], lines: list[Line]) -> None:
        self.tally.answers += len(records)
        self.tally.lines += len(lines)
        for record in records:
            self.tally.versions[record.persona.name, record.version.number, record.model] += 1
        for line in lines:
            self.tally.take(line.text)
