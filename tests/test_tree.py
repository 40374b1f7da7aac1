"""The tree of a conversation by strands says what the messages' parents say, whatever was asked in which order."""

from __future__ import annotations

import uuid
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conversations import posting
from conversations.generation import history, store
from conversations.models import Conversation, Message
from conversations.providers import ChatMessage
from conversations.tree import Tree, place
from tests.conftest import Cast
from tests.lengthy import lengthy
from tests.test_posting import end, start


class Naive:
    """The same by following every message's parent."""

    def __init__(self, chat: Conversation) -> None:
        self.messages = {each.pk: each for each in chat.messages.order_by("created_at", "pk")}

    def path(self, message: Message | None) -> list[Message]:
        found = []
        while message is not None:
            found.append(message)
            message = self.messages[message.parent_id] if message.parent_id else None
        return found[::-1]

    def versions(self, message: Message) -> list[uuid.UUID]:
        return [pk for pk, each in self.messages.items() if each.parent_id == message.parent_id]

    def newest_leaf(self, message: Message) -> Message:
        while replies := [each for each in self.messages.values() if each.parent_id == message.pk]:
            message = replies[-1]
        return message


def grown(cast: Cast, seed: int, size: int) -> Conversation:
    """A conversation in which things were asked, edited, regenerated and switched between at random."""
    random, now = Random(seed), timezone.now()
    chat = lengthy(cast.member, cast.guide, 1)
    messages = list(chat.messages.order_by("depth"))
    for number in range(size):
        message = random.choice(messages)
        if random.random() < 0.7:
            while later := [each for each in messages if each.parent_id == message.pk]:
                message = random.choice(later)
            new = message.reply(f"{number}")
        else:
            new = message.version(f"{number}")
        new.created_at = now + timedelta(seconds=number)
        messages.append(new)
        Message.objects.bulk_create([new])
    return chat


@pytest.mark.parametrize("seed", range(6))
def test_strands_say_what_parents_say(cast: Cast, seed: int) -> None:
    chat = grown(cast, seed, 60)
    naive, tree = Naive(chat), Tree(chat.pk)
    messages = list(naive.messages.values())
    assert tree.versions(messages) == {each.pk: naive.versions(each) for each in messages}
    for message in messages:
        path, found = naive.path(message), tree.path(place(message))
        assert [each.depth for each in path] == list(range(len(path)))
        assert {each.pk for each in messages if place(each) in found} == {each.pk for each in path}
        first, last = message.depth // 3, message.depth - message.depth // 4
        assert found.messages(first, last, Message.objects.all()) == path[first : last + 1]
        assert tree.newest_leaf(message) == naive.newest_leaf(message)


def test_what_is_read_does_not_grow_with_the_length(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    chat = lengthy(cast.member, cast.guide, 300)
    with django_assert_num_queries(3):
        tree = Tree(chat.pk)
        head = Message.objects.get(pk=str(chat.head_id))
        assert len(tree.path(place(head)).messages(500, 509, Message.objects.all())) == 10


def test_verbs_keep_to_the_strands(cast: Cast) -> None:
    first = start(cast)
    end(first)
    chat = first.conversation
    second = posting.post(cast.member, chat, "And?", client_id=uuid.uuid4())
    end(second)
    question = Message.objects.get(pk=str(second.answer.parent_id))
    edited = posting.edit(cast.member, question, "Or?", client_id=uuid.uuid4())
    end(edited)
    again = posting.regenerate(cast.member, Message.objects.get(pk=first.answer.pk), client_id=uuid.uuid4())
    end(again)
    end(posting.post(cast.member, chat, "On?", client_id=uuid.uuid4()))
    naive, tree = Naive(chat), Tree(chat.pk)
    for message in naive.messages.values():
        found = tree.path(place(message)).messages(0, 9, Message.objects.all())
        assert found == naive.path(message)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("wordless", [0.0, 0.9])
def test_what_is_sent_is_what_the_whole_branch_would_give(cast: Cast, seed: int, wordless: float) -> None:
    random = Random(seed)
    chat = lengthy(cast.member, cast.guide, 500)
    empty = [each.pk for each in chat.messages.filter(role="assistant") if random.random() < wordless]
    Message.objects.filter(pk__in=empty).update(text="")
    Message.objects.filter(pk__in=empty[::7]).update(text=" \n")
    question = chat.messages.get(depth=700 + seed)
    if question.role == "user":
        turn = posting.edit(cast.member, question, "Another way?", client_id=uuid.uuid4())
    else:
        turn = posting.regenerate(cast.member, question, client_id=uuid.uuid4())
    version = turn.generation.version
    version.context_length = random.choice((2_000, 20_000, 1_000_000))
    job = store.claim(turn.generation, uuid.uuid4())
    assert job is not None
    path = [each for each in Naive(chat).path(turn.answer) if each.text.strip()]
    whole = [ChatMessage(role=each.role, text=each.text) for each in path]  # type: ignore[arg-type]
    length, answer = version.context_length, version.max_tokens or 0
    expected, cut = history.fitting(version.system_prompt, whole, context_length=length, answer_tokens=answer)
    assert job.request.messages == expected
    turn.generation.refresh_from_db()
    assert turn.generation.left_out == path[cut].depth
