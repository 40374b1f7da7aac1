"""Answers that have ended, made the way the product makes them."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User

from conversations import posting
from conversations.generation import store
from conversations.models import Conversation, Generation, Persona
from tests.conftest import Cast

Status = Generation.Status


def ended(
    cast: Cast,
    text: str = "An answer.",
    *,
    question: str = "What is Coca Cola?",
    by: User | None = None,
    persona: Persona | None = None,
    **facts: Any,
) -> posting.Turn:
    """A new conversation, the member's where nobody is named, whose answer ended with `text` and those columns."""
    turn = posting.start(by or cast.member, persona or cast.guide, question, client_id=uuid.uuid4())
    return _end(turn, text, facts)


def ended_in(
    conversation: Conversation, text: str = "More.", *, question: str = "And then?", **facts: Any
) -> posting.Turn:
    """A further turn of `conversation`, which has ended the same way."""
    turn = posting.post(conversation.owner, conversation, question, client_id=uuid.uuid4())
    return _end(turn, text, facts)


def _end(turn: posting.Turn, text: str, facts: dict[str, Any]) -> posting.Turn:
    lease = uuid.uuid4()
    assert store.claim(turn.generation, lease)
    outcome = store.Outcome(status=facts.pop("status", Status.DONE), text=text, finish_reason="stop")
    assert store.finish(turn.generation.pk, lease, outcome)
    if facts:
        Generation.objects.filter(pk=turn.generation.pk).update(**facts)
    turn.answer.refresh_from_db()
    turn.generation.refresh_from_db()
    return turn
