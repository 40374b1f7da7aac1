"""What a person finds in their own chats: by title and by what was said, the best first.

The index has an answer with its question once that ended and was filed, some seconds later at most.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.safestring import SafeString

from conversations import access, attached, excerpts, search, words
from conversations.models import AnswerRecord, Conversation, Imported, Message
from conversations.words import Query

MOST = 40  # chats that are shown: who looks further says more
DOCUMENTS = 200  # that are looked at for so many chats
TITLE_CHARS, EXCERPT_CHARS = 120, 140


@dataclass(frozen=True, slots=True)
class Hit:
    """A chat that was found. `message` is where to go: what was said that fits best; None where the title fits."""

    conversation: Conversation
    title: SafeString
    excerpt: SafeString
    message: uuid.UUID | None


def found(person: User, text: str) -> list[Hit]:
    """The chats that have all that `text` asks for, in their title or in a question with its answer."""
    query = as_typed(text)
    titled = _best(person, text, titles=True, limit=MOST)
    said = _best(person, text, limit=DOCUMENTS)
    places = _places({*titled, *said})
    answers: dict[uuid.UUID, uuid.UUID | None] = {}
    for conversation, _ in (places[pk] for pk in titled if pk in places):
        answers[conversation] = None
    for conversation, message in (places[pk] for pk in said if pk in places):
        if answers.get(conversation) is None:
            answers[conversation] = message
    return _shown(person, query, dict(list(answers.items())[:MOST]))


def _places(documents: set[int]) -> dict[int, tuple[uuid.UUID, uuid.UUID | None]]:
    """By document, its conversation and message, where these are still there."""
    records = AnswerRecord.objects.filter(pk__in=documents)
    found: dict[int, tuple[uuid.UUID, uuid.UUID | None]] = {
        pk: (chat, said)
        for pk, chat, said in records.values_list("pk", "conversation_id", "message_id")
        if chat
    }
    marks = Imported.objects.filter(pk__in=[pk - search.IMPORTED for pk in documents if pk > search.IMPORTED])
    for pk, chat, said in marks.values_list("pk", "message__conversation_id", "message_id"):
        found[pk + search.IMPORTED] = (chat, said)
    return found


def _best(person: User, text: str, *, limit: int, titles: bool = False) -> list[int]:
    """What has the last word as it is written; where that is not enough, what has a word that begins so."""
    for query in dict.fromkeys((words.parse(text), as_typed(text))):
        found = search.best(person.pk, query, titles=titles, limit=limit)
        if len(found) >= limit:
            break
    return found


def as_typed(text: str) -> Query:
    """The query of somebody who may not be at its end yet: the last word may go on. What is too long loses its last."""
    text = text.strip()
    if len(text) >= words.QUERY_CHARS:
        text = text[: words.QUERY_CHARS].rpartition(" ")[0] or text
    elif text and text[-1].isalnum():
        text += "*"
    return words.parse(text)


def _shown(person: User, query: Query, answers: dict[uuid.UUID, uuid.UUID | None]) -> list[Hit]:
    chats = access.conversations_among(person, answers)
    said = Message.objects.select_related("parent").only("text", "parent__text")
    texts = said.in_bulk([message for message in answers.values() if message])
    asked = {pk for each in texts.values() for pk in (each.parent_id, each.pk) if pk}
    files = attached.words(asked, excerpts.SCANNED)
    found = ((chats[pk], texts.get(message)) for pk, message in answers.items() if pk in chats)
    return list(_hits(query, found, files))


def _hits(
    query: Query, chats: Iterable[tuple[Conversation, Message | None]], files: dict[uuid.UUID, str]
) -> Iterable[Hit]:
    for chat, answer in chats:
        title = excerpts.excerpt(chat.title, TITLE_CHARS, query)
        if answer is None:
            yield Hit(chat, title, SafeString(""), None)
        elif answer.parent and excerpts.first_found(answer.parent.text, query):
            line = excerpts.excerpt(answer.parent.text, EXCERPT_CHARS, query)
            yield Hit(chat, title, line, answer.parent_id)
        elif not excerpts.first_found(answer.text, query) and (at := _attached(answer, files, query)):
            yield Hit(chat, title, excerpts.excerpt(files[at], EXCERPT_CHARS, query), at)
        else:
            yield Hit(chat, title, excerpts.of_answer(answer.text, EXCERPT_CHARS, query), answer.pk)


def _attached(said: Message, files: dict[uuid.UUID, str], query: Query) -> uuid.UUID | None:
    """The question to whose files the words belong that were found."""
    asked = [pk for pk in (said.parent_id, said.pk) if pk in files]
    return next((pk for pk in asked if excerpts.first_found(files[pk], query)), None)
