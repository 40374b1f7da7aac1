"""What two processes tell each other over Redis, through the channel layer that REDIS_URL chooses."""

from __future__ import annotations

import os
import uuid

import pytest
import redis
from channels.layers import channel_layers
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.test import Client
from pytest_django import Settings

from conversations import announcements, posting
from conversations.models import Conversation, Generation, Message
from tests.conftest import missing

ADDRESS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


@pytest.fixture
def redis_url() -> str:
    try:
        with redis.Redis.from_url(ADDRESS, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError:
        missing(f"Redis at {ADDRESS}")
    return ADDRESS


async def test_an_announcement_reaches_the_other_process(redis_url: str) -> None:
    ours, theirs = (
        RedisPubSubChannelLayer(hosts=[{"address": redis_url, "socket_timeout": 30}]) for _ in range(2)
    )
    conversation = uuid.uuid4()
    question = Message(parent_id=uuid.uuid4())
    turn = posting.Turn(Conversation(pk=conversation), Message(parent=question), Generation())
    channel = await theirs.new_channel()
    await theirs.group_add(f"conversation.{conversation}", channel)
    channel_layers.set("default", ours)
    try:
        await announcements.turn_added(turn, "<article></article>")
        assert await theirs.receive(channel) == {
            "type": "turn.added",
            "below": str(question.parent_id),
            "answer": str(turn.answer.pk),
            "generation": str(turn.generation.pk),
            "fragment": "<article></article>",
        }
    finally:
        channel_layers.set("default", None)
        channel_layers.backends.clear()
        await ours.close_all() if hasattr(ours, "close_all") else await ours.flush()
        await theirs.flush()


def test_readiness_asks_redis(client: Client, db: None, settings: Settings, redis_url: str) -> None:
    settings.REDIS_URL = redis_url
    assert client.get("/readyz").content == b"ready\n"
