"""A conversation of any length, stored at once: as it would be if every turn had been asked and answered."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from conversations.models import Conversation, Generation, Message, Persona

PARAGRAPH = "The answer has some lines, so that a page of them is higher than any window. " * 5


def lengthy(person: User, persona: Persona, turns: int, *, title: str = "A long chat") -> Conversation:
    """A conversation of so many questions, "question 0" and so on, each with its answer."""
    now = timezone.now()
    began = now - timedelta(seconds=turns + 1)
    chat = Conversation.objects.create(owner=person, persona=persona, title=title, active_at=now)
    messages: list[Message] = []
    for number in range(turns):
        asked = f"question {number}"
        question = messages[-1].reply(asked) if messages else Message.opening(chat, asked)
        code = f"\n\n```python\nprint({number})\n```" if number % 5 == 0 else ""
        messages += [question, question.reply(f"**answer {number}**: {PARAGRAPH}{code}")]
    for number, message in enumerate(messages):
        message.created_at = began + timedelta(milliseconds=500 * number)
    Message.objects.bulk_create(messages)
    Generation.objects.bulk_create(
        Generation(
            conversation=chat,
            message=answer,
            version=persona.current,
            requested_by=person,
            client_id=uuid.uuid4(),
            status=Generation.Status.DONE,
            finish_reason="complete",
            heartbeat_at=now,
            finished_at=now,
        )
        for answer in messages[1::2]
    )
    Conversation.objects.filter(pk=chat.pk).update(head=messages[-1])
    chat.refresh_from_db()
    return chat


def lengthy_of(username: str, persona: str, turns: int) -> Conversation:
    """The same by names."""
    return lengthy(User.objects.get(username=username), Persona.objects.get(name=persona), turns)
