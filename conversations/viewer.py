"""One reader of one answer: what `generation.follow` tells, as frames for a page.

The first frame holds everything so far and replaces what the page has; so joining in the middle, coming back
after a lost line and watching from the start are the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from conversations import generation, pages, thread
from conversations.database import in_database
from conversations.models import Generation
from conversations.rendering import fragments
from conversations.rendering.blocks import BlockStream


async def frames(answer: Generation) -> AsyncIterator[str]:
    """Frames of `answer` from its beginning to its end, the last with its foot and the final rendering."""
    mid = str(answer.message_id)
    stream = BlockStream()
    texts: list[str] = []
    async for piece in generation.follow(answer.pk):
        first = not texts
        texts.append(piece.text)
        patch = stream.feed(piece.text)
        frame = fragments.snapshot(mid, stream) if first else fragments.frame(mid, patch)
        if piece.reasoning or first:
            frame += fragments.reasoning(mid, piece.reasoning, whole=first)
        if piece.ended:
            frame += await in_database(_ending, answer, stream, "".join(texts))
        if frame:
            yield frame


def _ending(answer: Generation, stream: BlockStream, shown: str) -> str:
    turn = thread.turn(answer.conversation, answer.message_id)
    frame = ""
    if turn.text != shown:  # another process wrote more or less than was shown: the record is what counts
        stream = BlockStream()
        stream.feed(turn.text)
        frame = fragments.snapshot(str(turn.id), stream)
    return frame + fragments.ending(str(turn.id), stream.finish()) + pages.ending(answer.conversation, turn)
