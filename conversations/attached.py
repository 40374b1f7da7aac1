"""What hangs on questions, read for those who send, show, search and export it. Texts only where they are needed."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Left

from conversations import providers, statements
from conversations.models import Attachment, Message
from conversations.providers.documents import OVERHEAD
from conversations.rendering import plaintext

WEIGHT = f"size + size / 10 + {OVERHEAD}"  # the most bytes that a file is sent as; a tenth is for what passages take
_WEIGHTS = (
    f"SELECT message_id, SUM({WEIGHT}) FROM conversations_attachment "  # noqa: S608
    "WHERE message_id IN ({marks}) GROUP BY message_id"
)
SHOWN_CHARS = 20_000  # of a file where it is shown to be read
SEARCHED_CHARS = 40_000  # of the files of a message, by which it is found


@dataclass(frozen=True, slots=True)
class Begun:
    """The beginning of a file, for readers who press nothing."""

    name: str
    text: str
    whole: bool


def listed(way: str = "attachments") -> Prefetch[str]:
    """The files of messages, without their texts, to be read along with these."""
    return Prefetch(way, queryset=Attachment.objects.defer("text"))


def below(message: Message) -> Iterable[Attachment]:
    """The files below a question, without their texts; an answer has none. Those that were `listed` are at hand."""
    if message.role != Message.Role.USER:
        return ()
    known = "attachments" in getattr(message, "_prefetched_objects_cache", {})
    return message.attachments.all() if known else message.attachments.defer("text")


def weights(messages: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """By message, the most bytes that its files are sent as."""
    if not messages:
        return {}
    rows = statements.fetch(_WEIGHTS.format(marks=statements.marks(messages)), *messages)
    return {pk: int(weight) for each, weight in rows if (pk := statements.identity(each))}


def documents(messages: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[providers.Document, ...]]:
    """By message, its files as a provider is sent them."""
    found: dict[uuid.UUID, tuple[providers.Document, ...]] = {}
    for row in _of(messages):
        document = providers.Document(str(row.pk), row.name, row.text)
        found[row.message_id] = (*found.get(row.message_id, ()), document)
    return found


def sent(message: Message) -> str:
    """A question with its files, as they are sent where a provider knows nothing of files."""
    files = tuple(providers.Document(str(row.pk), row.name, row.text) for row in message.attachments.all())
    return providers.quoted(providers.ChatMessage("user", message.text, files)) if files else message.text


def beginnings(messages: Collection[uuid.UUID], chars: int = SHOWN_CHARS) -> dict[uuid.UUID, list[Begun]]:
    """By message, how its files begin."""
    found: dict[uuid.UUID, list[Begun]] = defaultdict(list)
    rows = Attachment.objects.filter(message__in=messages).annotate(begun=Left("text", chars + 1))
    for message, name, begun in rows.order_by("message", "position").values_list(
        "message_id", "name", "begun"
    ):
        found[message].append(Begun(name, plaintext.clean(begun[:chars]), len(begun) <= chars))
    return found


def words(messages: Collection[uuid.UUID], chars: int = SEARCHED_CHARS) -> dict[uuid.UUID, str]:
    """By message, the words of its files by which it is found: their names, and how they begin."""
    return {
        message: "\n".join(f"{each.name}\n{each.text}" for each in files)[:chars]
        for message, files in beginnings(messages, chars).items()
    }


def names(messages: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, list[str]]:
    """By message, what its files are called."""
    found: dict[uuid.UUID | None, list[str]] = defaultdict(list)
    rows = Attachment.objects.filter(message__in=[pk for pk in messages if pk])
    for message, name in rows.order_by("message", "position").values_list("message_id", "name"):
        found[message].append(name)
    return found


def whole(messages: Iterable[Message]) -> dict[uuid.UUID, list[Attachment]]:
    """By message, its files with all that is in them."""
    found: dict[uuid.UUID, list[Attachment]] = defaultdict(list)
    for row in _of([message.pk for message in messages if message.role == Message.Role.USER]):
        found[row.message_id].append(row)
    return found


def line(file: Attachment) -> dict[str, str]:
    """A file as exports have it."""
    return {"name": file.name, "media_type": file.media_type, "text": file.text}


def _of(messages: Collection[uuid.UUID]) -> QuerySet[Attachment]:
    return Attachment.objects.filter(message__in=messages).order_by("message", "position")
