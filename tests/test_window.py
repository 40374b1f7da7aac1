"""How far a server may run ahead of a page."""

from __future__ import annotations

import asyncio

import pytest

from conversations import window
from conversations.window import SIZE, TooSlow, Window

FRAME = "x" * (SIZE // 4)


async def test_who_keeps_up_is_never_waited_for() -> None:
    ahead = Window()
    for number in range(1, 100):
        await ahead.room()
        ahead.sent(FRAME)
        ahead.taken(number)


async def test_a_frame_of_any_size_goes_alone() -> None:
    ahead = Window()
    await ahead.room()
    ahead.sent(FRAME * 100)
    waiting = asyncio.create_task(ahead.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    ahead.taken(1)
    await waiting


async def test_who_says_nothing_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "PATIENCE", 0.01)
    ahead = Window()
    for _ in range(5):
        ahead.sent(FRAME)
    with pytest.raises(TooSlow):
        await ahead.room()


async def test_any_word_buys_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow reader is slow, not gone."""
    ahead = Window()
    for _ in range(12):
        ahead.sent(FRAME)
    waiting = asyncio.create_task(ahead.room())
    for number in (2, 4, 6):
        await asyncio.sleep(0)
        ahead.taken(number)
        assert not waiting.done()
    ahead.taken(8)
    await waiting


async def test_two_that_wait_both_go_on() -> None:
    ahead = Window()
    for _ in range(5):
        ahead.sent(FRAME)
    both = [asyncio.create_task(ahead.room()) for _ in range(2)]
    await asyncio.sleep(0)
    ahead.taken(5)
    await asyncio.gather(*both)


@pytest.mark.parametrize("frames", [-1, 0, 10**30])
async def test_what_is_not_so_does_no_harm(frames: int) -> None:
    ahead = Window()
    ahead.sent(FRAME)
    ahead.taken(frames)
    await ahead.room()
