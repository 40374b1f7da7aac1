"""The verbs that create turns: what they make, what they refuse, and that a repeated request is harmless."""

from __future__ import annotations

import uuid

import pytest
from pytest_django.fixtures import Settings

from conversations import posting, thread
from conversations.generation import store
from conversations.models import Conversation, Generation, Message
from conversations.posting import Refused
from tests.conftest import Cast
from tests.races import at_once

Status = Generation.Status


def end(
    turn: posting.Turn,
    status: Generation.Status = Status.DONE,
    text: str = "An answer.",
    *,
    finish_reason: str = "",
) -> None:
    """Bring a turn to its end the way a runner does."""
    lease = uuid.uuid4()
    assert store.claim(turn.generation, lease)
    assert store.finish(
        turn.generation.pk, lease, store.Outcome(status=status, text=text, finish_reason=finish_reason)
    )


def start(cast: Cast, text: str = "What is Coca Cola?") -> posting.Turn:
    return posting.start(cast.member, cast.guide, text, client_id=uuid.uuid4())


def reload(message: Message) -> Message:
    return Message.objects.select_related("generation", "parent", "conversation__persona__current").get(
        pk=message.pk
    )


def test_a_first_question_makes_a_conversation_with_a_pending_answer(cast: Cast) -> None:
    turn = start(cast, "  What is\nCoca Cola?\n")
    question = turn.answer.parent
    assert question is not None
    assert question.text == "  What is\nCoca Cola?"
    assert turn.conversation.title == "What is"
    assert turn.conversation.head == turn.answer
    assert turn.generation.status == Status.PENDING
    assert turn.generation.version == cast.guide.current
    assert turn.generation.version.system_prompt == "You are an assistant for the company Coca Cola"


def test_a_request_that_was_taken_is_not_refused_later(cast: Cast) -> None:
    client_id = uuid.uuid4()
    first = posting.start(cast.member, cast.guide, "hello", client_id=client_id)
    end(first)
    cast.guide.published = False
    cast.guide.save()
    again = posting.start(cast.member, cast.guide, "hello", client_id=client_id)
    assert (again.answer, again.created) == (first.answer, False)


def test_the_same_request_twice_is_one_turn(cast: Cast) -> None:
    client_id = uuid.uuid4()
    first = posting.start(cast.member, cast.guide, "hello", client_id=client_id)
    again = posting.start(cast.member, cast.guide, "hello", client_id=client_id)
    assert first.created
    assert not again.created
    assert again.answer == first.answer
    assert Conversation.objects.count() == 1
    end(first)
    conversation = Conversation.objects.get()
    client_id = uuid.uuid4()
    turns = [posting.post(cast.member, conversation, "more", client_id=client_id) for _ in range(3)]
    assert {turn.answer.pk for turn in turns} == {turns[0].answer.pk}
    assert Message.objects.count() == 4


def test_a_request_id_is_not_taken_over_into_another_chat(cast: Cast) -> None:
    first, second = start(cast), start(cast)
    end(first)
    end(second)
    client_id = uuid.uuid4()
    posting.post(cast.member, first.conversation, "more", client_id=client_id)
    with pytest.raises(Refused) as refusal:
        posting.post(cast.member, second.conversation, "more", client_id=client_id)
    assert refusal.value.status == 409


def test_other_words_are_another_request(cast: Cast) -> None:
    client_id = uuid.uuid4()
    posting.start(cast.member, cast.guide, "hello", client_id=client_id)
    with pytest.raises(Refused) as refusal:
        posting.start(cast.member, cast.guide, "something else", client_id=client_id)
    assert refusal.value.status == 409


@pytest.mark.parametrize(
    ("text", "status"),
    [("", 400), (" \n\t\0", 400), ("a" * (32 * 1024 + 1), 413), ("é" * (16 * 1024 + 1), 413)],
    ids=["empty", "blank", "long", "long in bytes"],
)
def test_what_cannot_be_sent_is_refused_with_a_sentence(cast: Cast, text: str, status: int) -> None:
    with pytest.raises(Refused) as refusal:
        start(cast, text)
    assert refusal.value.status == status
    assert refusal.value.sentence.endswith(".")
    assert not Conversation.objects.exists()


def test_the_longest_message_is_taken_whole(cast: Cast) -> None:
    turn = start(cast, "é" * (16 * 1024))
    assert turn.answer.parent is not None
    assert len(turn.answer.parent.text) == 16 * 1024


def test_what_no_database_takes_is_cleaned(cast: Cast) -> None:
    turn = start(cast, "a\0b\ud83dc\r\nd")
    assert turn.answer.parent is not None
    assert reload(turn.answer.parent).text == "ab?c\nd"


def test_one_answer_at_a_time_in_a_conversation(cast: Cast) -> None:
    turn = start(cast)
    with pytest.raises(Refused) as refusal:
        posting.post(cast.member, turn.conversation, "more", client_id=uuid.uuid4())
    assert refusal.value.status == 409
    assert Message.objects.count() == 2


def test_limits_of_a_person(cast: Cast, settings: Settings) -> None:
    settings.ANSWERS_AT_ONCE = 2
    turns = [start(cast), start(cast)]
    with pytest.raises(Refused) as refusal:
        start(cast)
    assert refusal.value.status == 429
    for turn in turns:
        end(turn)
    settings.MESSAGES_PER_MINUTE = 3
    end(start(cast))
    with pytest.raises(Refused) as refusal:
        start(cast)
    assert refusal.value.status == 429
    posting.start(cast.member2, cast.guide, "others are free", client_id=uuid.uuid4())


def test_a_limit_counts_what_was_deleted_meanwhile(cast: Cast, settings: Settings) -> None:
    settings.MESSAGES_PER_MINUTE = 2
    for _ in range(2):
        end(start(cast))
    Conversation.objects.all().delete()
    with pytest.raises(Refused) as refusal:
        start(cast)
    assert refusal.value.status == 429


def test_an_unpublished_persona_is_read_only(cast: Cast) -> None:
    turn = start(cast)
    end(turn)
    cast.guide.published = False
    cast.guide.save()
    conversation = Conversation.objects.get()
    with pytest.raises(Refused) as refusal:
        posting.post(cast.member, conversation, "more", client_id=uuid.uuid4())
    assert refusal.value.status == 409
    with pytest.raises(Refused) as refusal:
        posting.regenerate(cast.member, reload(turn.answer), client_id=uuid.uuid4())
    assert refusal.value.status == 409


def test_edit_and_regenerate_add_versions_and_overwrite_nothing(cast: Cast) -> None:
    first = start(cast)
    end(first, text="first answer")
    second = posting.regenerate(cast.member, reload(first.answer), client_id=uuid.uuid4())
    end(second, text="second answer")
    question = reload(first.answer).parent
    assert question is not None
    edited = posting.edit(cast.member, reload(question), "Another question", client_id=uuid.uuid4())
    end(edited, text="third answer")

    assert sorted(Message.objects.values_list("text", flat=True)) == [
        "Another question",
        "What is Coca Cola?",
        "first answer",
        "second answer",
        "third answer",
    ]
    conversation = Conversation.objects.select_related("persona").get()
    shown = thread.thread(conversation)
    assert [(turn.text, turn.position, turn.versions) for turn in shown.turns] == [
        ("Another question", 2, 2),
        ("third answer", 1, 1),
    ]
    assert shown.turns[0].previous_id == question.pk

    posting.switch(conversation, question)
    shown = thread.thread(conversation)
    assert [(turn.text, turn.position, turn.versions) for turn in shown.turns] == [
        ("What is Coca Cola?", 1, 2),
        ("second answer", 2, 2),
    ]


def test_continue_begins_with_what_there_is_and_keeps_its_version(cast: Cast) -> None:
    first = start(cast)
    end(first, text="It is a", finish_reason="length")
    before = first.generation.version
    cast.guide.current = None  # a newer version would be in force now; the text keeps its author
    answer = reload(first.answer)
    assert posting.can_continue(answer)
    turn = posting.continue_(cast.member, answer, client_id=uuid.uuid4())
    assert turn.generation.version == before
    assert turn.generation.inherited_chars == len("It is a")
    job = store.claim(turn.generation, uuid.uuid4())
    assert job is not None
    assert job.inherited == "It is a"
    assert job.request.continue_last
    assert [(message.role, message.text) for message in job.request.messages] == [
        ("user", "What is Coca Cola?"),
        ("assistant", "It is a"),
    ]


@pytest.mark.parametrize(
    ("status", "finish_reason", "text", "possible"),
    [
        (Status.DONE, "complete", "whole", False),
        (Status.DONE, "length", "cut", True),
        (Status.STOPPED, "", "cut", True),
        (Status.STOPPED, "", "", False),
        (Status.INTERRUPTED, "", "cut", True),
        (Status.FAILED, "", "", False),
        (Status.FAILED, "", "half", True),
    ],
)
def test_only_what_broke_off_can_be_continued(
    cast: Cast, status: Generation.Status, finish_reason: str, text: str, possible: bool
) -> None:
    turn = start(cast)
    end(turn, status, text, finish_reason=finish_reason)
    answer = reload(turn.answer)
    assert posting.can_continue(answer) is possible
    if not possible:
        with pytest.raises(Refused):
            posting.continue_(cast.member, answer, client_id=uuid.uuid4())


def test_a_question_is_not_regenerated_and_an_answer_not_edited(cast: Cast) -> None:
    turn = start(cast)
    end(turn)
    answer = reload(turn.answer)
    assert answer.parent is not None
    with pytest.raises(Refused):
        posting.edit(cast.member, answer, "no", client_id=uuid.uuid4())
    with pytest.raises(Refused):
        posting.regenerate(cast.member, reload(answer.parent), client_id=uuid.uuid4())


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("short", "short"),
        ("two\nlines", "two"),
        ("  spaced   out ", "spaced out"),
        ("word " * 30, "word " * 11 + "word…"),
        ("x" * 200, "x" * 60 + "…"),
    ],
)
def test_titles_are_cut_at_a_word(text: str, title: str) -> None:
    assert posting.title_of(text) == title


def test_twenty_equal_requests_at_once_are_one_turn(live_cast: Cast) -> None:
    turn = start(live_cast)
    end(turn)
    client_id = uuid.uuid4()

    def send() -> uuid.UUID:
        conversation = Conversation.objects.select_related("persona__current").get()
        return posting.post(live_cast.member, conversation, "more", client_id=client_id).answer.pk

    assert len(set(at_once(*[send] * 20))) == 1
    assert Message.objects.count() == 4


def test_the_limit_of_a_person_holds_at_once_too(live_cast: Cast, settings: Settings) -> None:
    settings.ANSWERS_AT_ONCE = 3

    def send() -> int:
        try:
            start(live_cast)
        except Refused as refusal:
            return refusal.status
        return 200

    assert sorted(at_once(*[send] * 8)) == [200] * 3 + [429] * 5


def test_twenty_different_requests_at_once_are_one_turn_and_nineteen_refusals(live_cast: Cast) -> None:
    turn = start(live_cast)
    end(turn)

    def send() -> int:
        conversation = Conversation.objects.select_related("persona__current").get()
        try:
            posting.post(live_cast.member, conversation, "more", client_id=uuid.uuid4())
        except Refused as refusal:
            return refusal.status
        return 200

    assert sorted(at_once(*[send] * 20)) == [200] + [409] * 19
    assert Message.objects.count() == 4
