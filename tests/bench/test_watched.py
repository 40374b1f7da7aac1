"""What the benchmark calls lost, doubled and whole: a gate that cannot close is none."""

from __future__ import annotations

import asyncio

import pytest

from conversations.rendering import fragments
from conversations.rendering.blocks import BlockStream
from tests.bench.script import Ask
from tests.bench.visitor import Tab
from tests.bench.watched import Watched

MID = "6f1c2a52-0000-4000-8000-000000000001"
ASK = Ask(1, "prose", 200, 0)
PAGE = f'<article id="message-{MID}" data-role="assistant" data-status="running"><div id="text-{MID}"></div></article>'
FOOT = f'<footer id="foot-{MID}" data-status="done" hx-swap-oob="outerHTML"></footer>'


def frames() -> list[str]:
    """An answer as the product sends it, some tokens a frame."""
    stream, pieces = BlockStream(), ASK.pieces()
    told = []
    for start in range(0, len(pieces), 7):
        patch = stream.feed("".join(pieces[start : start + 7]))
        told.append(fragments.frame(MID, patch) if start else fragments.snapshot(MID, stream))
    return [*told, fragments.ending(MID, stream.finish()) + FOOT]


async def watched(heard: list[str]) -> Watched:
    """What a reader of such frames saw; the first at 1 s, the next at 2 s."""
    tab = Tab(None, "", "", "")  # type: ignore[arg-type]  # it asks nobody
    tab.page = PAGE
    tab.heard = [(float(when), frame) for when, frame in enumerate(heard, start=1)]
    return Watched(ASK, 0.0, tab)


async def test_an_answer_that_is_all_there_is_whole() -> None:
    told = (await watched(frames())).told()
    assert told["whole"]
    assert told["status"] == "done"
    assert told["faults"] == 0
    assert len(told["shown"]) == ASK.tokens
    assert told["shown"][:8] == [1.0] * 7 + [2.0]


@pytest.mark.parametrize("missing", [5, 11, 12])
async def test_words_that_are_lost_or_late_are_faults(missing: int) -> None:
    heard = frames()
    del heard[missing:-1]
    told = (await watched(heard)).told()
    assert not told["whole"] or told["faults"] or len(told["shown"]) < ASK.tokens


async def test_words_that_are_shown_twice_are_faults() -> None:
    heard = frames()
    settled = next(frame for frame in heard if "beforebegin" in frame)
    heard.insert(heard.index(settled), settled)
    told = (await watched(heard)).told()
    assert told["faults"]
    assert not told["whole"]


async def test_an_end_is_heard_where_its_message_is_shown() -> None:
    tab = Tab(None, "", "", "")  # type: ignore[arg-type]  # it asks nobody
    done = PAGE.replace("running", "done").replace("</article>", f"{FOOT}</article>")
    tab.notice(PAGE)
    tab.notice(f'<div hx-swap-oob="beforeend:#messages">{done}</div>')  # dropped: the page has that message
    assert not tab.ended.is_set()
    tab.notice(FOOT)
    await asyncio.wait_for(tab.ended.wait(), 1)
