"""Two lists of lines, aligned by what they share. Knows nothing of ours.

Lines that stand once in each list are anchors, and so are those between anchors in turn (a patience diff); what is left
between them is aligned by the shortest edit (Myers) as long as there are steps left. What is left after that stands
side by side as it comes. So the time is bounded, whatever the lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

STEPS = 400_000  # of the shortest edits together; about a tenth of a second
DEPTH = 4  # of anchors between anchors

Match = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stand beside each other, by where they begin and end on each side."""

    equal: bool
    old: range
    new: range


def blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """Both lists from their beginnings to their ends, as equal blocks and others in turn."""
    known: dict[str, int] = {}
    numbered = [[known.setdefault(line, len(known)) for line in lines] for lines in (old, new)]
    matches = _Aligner(*numbered).matches(range(len(old)), range(len(new)), DEPTH)
    found: list[Block] = []
    left = right = 0
    for at, beside, length in _runs(matches):
        if at > left or beside > right:
            found.append(Block(False, range(left, at), range(right, beside)))
        left, right = at + length, beside + length
        found.append(Block(True, range(at, left), range(beside, right)))
    if left < len(old) or right < len(new):
        found.append(Block(False, range(left, len(old)), range(right, len(new))))
    return found


def _runs(matches: Iterator[Match]) -> Iterator[tuple[int, int, int]]:
    """Matches that follow each other, as where they begin and how many they are."""
    run: tuple[int, int, int] | None = None
    for at, beside in matches:
        if run and (at, beside) == (run[0] + run[2], run[1] + run[2]):
            run = (run[0], run[1], run[2] + 1)
            continue
        if run:
            yield run
        run = (at, beside, 1)
    if run:
        yield run


class _Aligner:
    """Lines as numbers, equal ones for equal lines, and the steps that are left."""

    def __init__(self, old: list[int], new: list[int]) -> None:
        self.old, self.new = old, new
        self.steps = STEPS

    def matches(self, old: range, new: range, depth: int) -> Iterator[Match]:
        """The pairs of equal lines within two ranges, in order."""
        begin = 0
        while begin < min(len(old), len(new)) and self.old[old[begin]] == self.new[new[begin]]:
            yield old[begin], new[begin]
            begin += 1
        old, new = old[begin:], new[begin:]
        end = 0
        while end < min(len(old), len(new)) and self.old[old[-1 - end]] == self.new[new[-1 - end]]:
            end += 1
        yield from self._between(old[: len(old) - end], new[: len(new) - end], depth)
        yield from zip(old[len(old) - end :], new[len(new) - end :], strict=True)

    def _between(self, old: range, new: range, depth: int) -> Iterator[Match]:
        """What lies between the equal beginnings and ends of two ranges."""
        if not old or not new or len(old) == len(new) == 1:
            return
        anchors = self._anchors(old, new) if depth else []
        if not anchors:
            yield from self._shortest(old, new)
            return
        left, right = old.start, new.start
        for at, beside in [*anchors, (old.stop, new.stop)]:
            if left < at and right < beside:
                yield from self.matches(range(left, at), range(right, beside), depth - 1)
            if at < old.stop:
                yield at, beside
            left, right = at + 1, beside + 1

    def _anchors(self, old: range, new: range) -> list[Match]:
        """The longest rising sequence of lines that stand once on each side."""
        here = Counter(self.old[old.start : old.stop])
        there = Counter(self.new[new.start : new.stop])
        place = {self.new[at]: at for at in new}
        ends: list[int] = []  # by length: the smallest place at which a sequence of that length ends
        last: list[int] = []  # and its last pair
        pairs: list[tuple[int, int, int]] = []  # with the pair before
        for at in old:
            line = self.old[at]
            if here[line] != 1 or there[line] != 1:
                continue
            length = bisect_left(ends, place[line])
            pairs.append((at, place[line], last[length - 1] if length else -1))
            if length == len(ends):
                ends.append(0)
                last.append(0)
            ends[length], last[length] = place[line], len(pairs) - 1
        found: list[Match] = []
        index = last[-1] if last else -1
        while index >= 0:
            at, beside, index = pairs[index]
            found.append((at, beside))
        return found[::-1]

    def _shortest(self, old: range, new: range) -> list[Match]:
        """The matches of the shortest edit; none where the steps do not suffice."""
        reach, trace = {1: 0}, []
        for edits in range(len(old) + len(new) + 1):
            self.steps -= 2 * edits + 1
            if self.steps < 0:
                return []
            trace.append(dict(reach))
            for diagonal in range(-edits, edits + 1, 2):
                down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
                x = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
                begin, y = x, x - diagonal
                while x < len(old) and y < len(new) and self.old[old[x]] == self.new[new[y]]:
                    x, y = x + 1, y + 1
                reach[diagonal] = x
                self.steps -= x - begin
                if x >= len(old) and y >= len(new):
                    return _walked(trace, old, new)
        return []


def _walked(trace: list[dict[int, int]], old: range, new: range) -> list[Match]:
    """Back along the edits, from the ends of both ranges."""
    found: list[Match] = []
    x, y = len(old), len(new)
    for edits in range(len(trace) - 1, -1, -1):
        reach, diagonal = trace[edits], x - y
        down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        before = diagonal + 1 if down else diagonal - 1
        from_x = reach[before] if edits else 0
        from_y = from_x - before if edits else 0
        while x > max(from_x, 0) and y > max(from_y, 0):
            x, y = x - 1, y - 1
            found.append((old[x], new[y]))
        x, y = from_x, from_y
    return found[::-1]
