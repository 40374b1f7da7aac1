"""One answer as its reader saw it, and what that comes to: read when all is over, so that nothing waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.bench.page import Page
from tests.bench.script import NUMBERED, NUMBERED_KINDS, Ask
from tests.bench.visitor import Tab


@dataclass(slots=True)
class Watched:
    """One answer as its reader saw it. Times are seconds of the monotonic clock."""

    ask: Ask
    at: float  # seconds behind the first question
    tab: Tab | None = None
    posted: float = 0.0
    over: float = 0.0
    heard: list[tuple[float, str]] = field(default_factory=list)
    failed: str = ""  # why it was given up

    def told(self) -> dict[str, Any]:
        """What of it goes back to whoever measures."""
        seen = _seen_page(self) if self.tab else _seen_text(self)
        return {
            "key": self.ask.key,
            "posted": self.posted,
            "over": self.over,
            "failed": self.failed,
            "connects": self.tab.connects if self.tab else 1,
            **seen,
        }


def _seen_text(watched: Watched) -> dict[str, Any]:
    """When each token came, of plain pieces."""
    shown: list[float] = []
    for when, piece in watched.heard:
        shown += [when] * len(NUMBERED.findall(piece))
    text = "".join(piece for _, piece in watched.heard)
    size = sum(len(piece.encode()) for _, piece in watched.heard)
    whole = text == watched.ask.text()
    return {
        "shown": shown,
        "whole": whole,
        "faults": 0,
        "bytes": size,
        "frames": len(watched.heard),
        "status": "done",
    }


def _seen_page(watched: Watched) -> dict[str, Any]:
    """When each token was on the page, and whether the page ever showed anything but the beginning of the answer."""
    tab = watched.tab
    assert tab
    page, faults, text_bytes = Page(), 0, 0
    shown: list[float] = []
    page.load(tab.page)
    heard = [(tab.loaded_at, ""), *tab.heard]
    ours = ""
    for when, frame in heard:
        changed = page.take(frame) if frame else set(page.answers)
        for mid in changed - tab.old:
            ours = mid
        if ours in changed:
            numbers = page.numbers(ours)
            faults += numbers != list(range(len(numbers)))
            shown += [when] * (len(numbers) - len(shown))
            if "<article" not in frame:
                text_bytes += len(frame.partition("<footer")[0].encode())
    return {
        "shown": shown,
        "faults": faults,
        "mid": ours,
        "text_bytes": text_bytes,
        **_ended(watched, page, ours),
    }


def _ended(watched: Watched, page: Page, mid: str) -> dict[str, Any]:
    tab = watched.tab
    assert tab
    frames = [frame for when, frame in tab.heard if when >= watched.posted]
    expected = watched.ask.text().replace("**", "").split()
    whole = watched.ask.kind not in NUMBERED_KINDS or (
        mid in page.answers and page.text(mid).split() == expected
    )
    if tab.reloaded:
        anew = Page()
        anew.load(tab.reloaded)
        whole = whole and anew.text(mid) == page.text(mid)
    return {
        "whole": whole,
        "bytes": sum(len(frame.encode()) for frame in frames),
        "frames": len(frames),
        "status": page.status.get(mid, ""),
    }
