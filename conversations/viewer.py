"""One reader of one answer: what `generation.follow` tells, as frames for a page.

The first frame holds everything so far and replaces what the page has; so joining in the middle, coming back
after a lost line and watching from the start are the same.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.utils import translation

from conversations import generation, metrics, pages, thread
from conversations.access import NotVisible
from conversations.database import in_database
from conversations.models import Conversation
from conversations.rendering import fragments
from conversations.rendering.blocks import BlockStream

THREADS = 2  # that render what would hold up every other socket; each takes the processor from the event loop
_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="rendering")


@dataclass(frozen=True, slots=True)
class Answer:
    """Which answer is looked at: its conversation, which its reader may see, its message and its generation."""

    conversation: Conversation
    message_id: uuid.UUID
    generation_id: uuid.UUID


async def frames(answer: Answer, *, shown: bool = False) -> AsyncIterator[str]:
    """Frames of `answer` from its beginning to its end, the last with its foot and the final rendering.

    An answer on another branch than the one shown has no place on the page: only that it ended is told. With
    `shown` it is known to stand on the branch that the page shows.
    """
    if not shown and not await in_database(thread.is_shown, answer.conversation, answer.message_id):
        async for piece in generation.follow(answer.generation_id):
            if piece.ended:
                yield await in_database(pages.standing, answer.conversation)
        return
    mid = str(answer.message_id)
    stream = BlockStream()
    texts: list[str] = []
    async for piece in generation.follow(answer.generation_id):
        first = not texts
        texts.append(piece.text)
        if stream.is_laborious(piece.text):
            loop = asyncio.get_running_loop()
            frame = await loop.run_in_executor(
                _pool, _frame_aside, translation.get_language(), mid, stream, piece.text, first
            )
        else:
            frame = _frame(mid, stream, piece.text, first)
        if piece.reasoning or first:
            frame += fragments.reasoning(mid, piece.reasoning, whole=first)
        if piece.ended:
            frame += await in_database(_ending, answer, stream, "".join(texts))
        if frame:
            yield frame
        if piece.at is not None:
            metrics.frame_delay.observe(time.monotonic() - piece.at)


def _frame(mid: str, stream: BlockStream, text: str, first: bool) -> str:
    """What `text`, the next of the answer, changes on the page; with `first` everything that there is to show."""
    patch = stream.feed(text)
    return fragments.snapshot(mid, stream) if first else fragments.frame(mid, patch)


def _frame_aside(language: str | None, mid: str, stream: BlockStream, text: str, first: bool) -> str:
    """The same in another thread, which does not know by itself in which language the page is."""
    with translation.override(language):
        return _frame(mid, stream, text, first)


def _ending(answer: Answer, stream: BlockStream, shown: str) -> str:
    try:
        turn = thread.turn(answer.conversation, answer.message_id)
    except NotVisible:  # deleted meanwhile
        return ""
    frame = ""
    if turn.text != shown:  # another process wrote more or less than was shown: the record is what counts
        stream = BlockStream()
        stream.feed(turn.text)
        frame = fragments.snapshot(str(turn.id), stream)
    return frame + fragments.ending(str(turn.id), stream.finish()) + pages.ending(answer.conversation, turn)
