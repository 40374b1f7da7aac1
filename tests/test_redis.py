"""What processes tell each other over Redis. The other process is played by a client that writes what one would."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
import redis
from channels.layers import get_channel_layer
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from redis.asyncio import Redis

from conversations import announcements, generation, peers, posting
from conversations.database import in_database
from conversations.generation import keeper, store
from conversations.generation.redis_log import Mirror
from conversations.models import Conversation, Generation, Message
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import Cast, missing
from tests.test_generation import begin, ended, until

ADDRESS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0").rpartition("/")[0] + "/7"
OTHER = uuid.uuid4()
Status = Generation.Status


@pytest.fixture
def redis_url() -> str:
    try:
        with redis.Redis.from_url(ADDRESS, socket_connect_timeout=2) as client:
            client.flushdb()
    except redis.RedisError:
        missing(f"Redis at {ADDRESS}")
    return ADDRESS


@pytest_asyncio.fixture
async def other(redis_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    """The other process's line, where ours is up as well."""
    settings.REDIS_URL = redis_url
    async with Redis.from_url(redis_url) as line:
        ready = asyncio.Event()

        async def hello(note: peers.Note) -> None:
            ready.set()

        monkeypatch.setitem(peers._handlers, "hello", hello)
        generation.keep()
        while not ready.is_set():  # what is told before our line is up is not heard
            await told(line, "hello")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ready.wait(), 0.05)
        yield line
    await keeper.close()


async def told(line: Redis, kind: str, **note: object) -> None:
    """Say something as the other process does."""
    await line.xadd(peers.STREAM, {"from": OTHER.hex, "kind": kind, "note": json.dumps(note)})


async def heard(line: Redis) -> list[dict[bytes, bytes]]:
    """What the other process hears of us, once there is something."""
    last, ours = b"0", list[dict[bytes, bytes]]()
    async with asyncio.timeout(5):
        while not ours:
            for entries in (await peers.behind(line, {peers.STREAM: last}, seconds=5)).values():
                last = entries[-1][0]
                ours += [fields for _, fields in entries if fields[b"from"] == peers.ME.hex.encode()]
    return ours


async def test_an_announcement_is_told(other: Redis) -> None:
    conversation, question = uuid.uuid4(), Message(parent_id=uuid.uuid4())
    turn = posting.Turn(Conversation(pk=conversation), Message(parent=question), Generation())
    await announcements.turn_added(turn, "<article></article>")
    (fields,) = await heard(other)
    assert fields[b"kind"] == b"announcement"
    assert json.loads(fields[b"note"]) == {
        "group": f"conversation.{conversation}",
        "event": {
            "type": "turn.added",
            "below": str(question.parent_id),
            "answer": str(turn.answer.pk),
            "generation": str(turn.generation.pk),
            "fragment": "<article></article>",
        },
    }


async def test_an_announcement_is_heard(other: Redis) -> None:
    conversation, layer = uuid.uuid4(), get_channel_layer()
    channel = await layer.new_channel()
    await announcements.join(conversation, channel)
    await told(other, "announcement", group=f"conversation.{conversation}", event={"type": "branch.changed"})
    async with asyncio.timeout(5):
        assert await layer.receive(channel) == {"type": "branch.changed"}
    await announcements.leave(conversation, channel)


async def test_what_cannot_be_understood_is_passed_over(
    other: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await told(other, "of a later release", what="ever")
    await told(other, "announcement", what="ever")
    await test_an_announcement_is_heard(other)
    assert caplog.text.count("a note of another process could not be followed") == 2


async def test_an_answer_is_stopped_from_elsewhere(
    live_cast: Cast, running: RecordedUpstream, other: Redis
) -> None:
    running.scripts.append(Script(pieces=("some ",) * 9, hang_after=3))
    turn = await begin(live_cast)
    await until(turn, lambda text: bool(text))
    await told(other, "stop", generation=str(turn.generation.pk))
    assert (await ended(turn)).status == Status.STOPPED


async def test_an_answer_is_sent_as_it_is_written(
    live_cast: Cast, running: RecordedUpstream, other: Redis
) -> None:
    running.scripts.append(Script(pieces=("some ", "words ", "of it")))
    turn = await begin(live_cast)
    key = f"chat:answer:{turn.generation.pk}"
    mirror = Mirror()
    while not mirror.log.finished:
        for entries in (await peers.behind(other, {key: mirror.last}, seconds=5)).values():
            mirror.take(entries)
    assert mirror.log.text.since(0) == "some words of it"
    assert 0 < await other.ttl(key) <= 60
    assert (await ended(turn)).status == Status.DONE


async def elsewhere(cast: Cast) -> posting.Turn:
    """An answer that the other process has begun to write."""
    turn = await in_database(posting.start, cast.member, cast.guide, "hello", client_id=uuid.uuid4())
    assert await in_database(store.claim, turn.generation, OTHER)
    return turn


async def wrote(line: Redis, turn: posting.Turn, at: int, text: str) -> None:
    fields: Any = {"at": f"{at} 0", "text": text, "reasoning": ""}
    await line.xadd(f"chat:answer:{turn.generation.pk}", fields)


async def test_an_answer_of_elsewhere_is_followed(live_cast: Cast, other: Redis) -> None:
    turn = await elsewhere(live_cast)
    pieces = generation.follow(turn.generation.pk)
    await wrote(other, turn, 0, "some ")
    assert (await anext(pieces)).text == "some "
    await wrote(other, turn, 5, "words ")
    assert (await anext(pieces)).text == "words "
    outcome = store.Outcome(Status.DONE, "some words of it", finish_reason="stop")
    assert await in_database(store.finish, turn.generation.pk, OTHER, outcome)
    await other.xadd(f"chat:answer:{turn.generation.pk}", {"end": "1"})
    last = await anext(pieces)
    assert (last.text, last.ended) == ("of it", True)


async def test_what_redis_lacks_the_record_has(live_cast: Cast, other: Redis) -> None:
    turn = await elsewhere(live_cast)
    await wrote(other, turn, 10, "too late")
    progress = store.Progress(turn.generation.pk, turn.answer.pk, "some words", None)
    await in_database(store.save, [progress], OTHER)
    pieces = generation.follow(turn.generation.pk)
    assert (await anext(pieces)).text == "some words"
    outcome = store.Outcome(Status.DONE, "some words too late")
    assert await in_database(store.finish, turn.generation.pk, OTHER, outcome)
    rest = [piece async for piece in pieces]
    assert "".join(piece.text for piece in rest) == " too late"
    assert rest[-1].ended


async def test_a_stop_waits_for_the_end_elsewhere(live_cast: Cast, other: Redis) -> None:
    turn = await elsewhere(live_cast)
    stopping = asyncio.create_task(generation.stop(turn.conversation.pk))
    (fields,) = await heard(other)
    told = {"generation": str(turn.generation.pk), "sentence": store.STOPPED}
    assert json.loads(fields[b"note"]) == told
    assert (await in_database(Generation.objects.get, pk=turn.generation.pk)).stop_requested
    assert not stopping.done()
    await in_database(store.finish, turn.generation.pk, OTHER, store.Outcome(Status.STOPPED, "some"))
    await other.xadd(f"chat:answer:{turn.generation.pk}", {"end": "1"})
    async with asyncio.timeout(1):
        await stopping


@given(
    text=st.text(max_size=60), cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)
)
def test_a_mirror_shows_no_word_twice_and_none_out_of_place(text: str, cuts: list[tuple[int, int]]) -> None:
    """Whatever is sent again, from wherever, and whatever is missing."""
    mirror = Mirror()
    for number, (start, end) in enumerate(cuts):
        piece = {b"at": f"{start} 0".encode(), b"text": text[start:end].encode(), b"reasoning": b""}
        if start <= len(text):
            mirror.take([(str(number).encode(), piece)])
        assert text.startswith(mirror.log.text.since(0))
    for number, (start, end) in enumerate(
        pairwise([0, *sorted({c for c, _ in cuts if c < len(text)}), len(text)])
    ):
        piece = {b"at": f"{start} 0".encode(), b"text": text[start:end].encode(), b"reasoning": b""}
        mirror.take([(b"z%d" % number, piece)])
    assert mirror.log.text.since(0) == text


def test_readiness_asks_redis(client: Client, db: None, settings: Settings, redis_url: str) -> None:
    settings.REDIS_URL = redis_url
    assert client.get("/readyz").content == b"ready\n"
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    refused = client.get("/readyz")
    assert refused.status_code == 503
    assert refused.content == b"redis: ConnectionError\n"
