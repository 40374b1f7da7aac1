"""Chats as Markdown. What a model wrote is Markdown, and stands in it as it was written."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from conversations import attaching, readable
from conversations.models import Conversation
from conversations.models.conversation import ConversationQuerySet
from conversations.providers.documents import fenced
from conversations.readable import Said
from conversations.rendering import plaintext


def parts(rows: ConversationQuerySet, chats: Iterator[Conversation]) -> Iterator[str]:
    """The chats, one behind the other."""
    for number, chat in enumerate(chats):
        yield "\n---\n\n" if number else ""
        yield _head(chat)
        yield from map(_message, readable.branch(chat, chat.head_id, of_files=attaching.MOST_BYTES))
    yield f"\n---\n\n{foot()}\n"


def foot() -> str:
    """What the last line says: that it is the last, and what is not there."""
    now = timezone.localtime()
    return (
        f"Taken on {now:%-d %B %Y, %H:%M %Z}. Where a message has alternatives, they are in the JSON export."
    )


def _head(chat: Conversation) -> str:
    began = timezone.localtime(chat.created_at)
    return (
        f"# {plaintext.clean(chat.title)}\n\n"
        f"{chat.persona.name}, {chat.persona.company.name}. Begun {began:%-d %B %Y, %H:%M %Z}.\n"
    )


def _message(said: Said) -> str:
    moment = timezone.localtime(said.message.created_at)
    facts = f"{moment:%-d %B %Y, %H:%M}"
    if said.versions > 1:
        facts += f", alternative {said.position} of {said.versions}"
    if said.imported is not None:
        facts += ", imported"
    ending = f"\n*{said.sentence}*\n" if said.sentence else ""
    author = f"{said.name}, version {said.version}" if said.version else said.name or "You"
    files = "".join(f"\n{fenced(file.name, file.text)}\n" for file in said.files)
    return f"\n## {author}\n\n*{facts}*\n\n{said.text.strip()}\n{files}{ending}"
