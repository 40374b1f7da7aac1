"""A chat as lines of JSON: itself, then its messages, whatever branch they are on. `docs/person.md` has the format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from conversations import attached
from conversations.exports.batches import BATCH
from conversations.exports.rows import moment, rating
from conversations.models import Attachment, Conversation, Message

Line = dict[str, Any]


def of(chat: Conversation, *, folders: bool) -> Iterator[Line]:
    """The lines of a chat that was loaded with its persona and company; `folders` to say which one it lies in."""
    yield {
        "kind": "conversation",
        "id": str(chat.pk),
        "company": chat.persona.company.name,
        "persona": chat.persona.name,
        "title": chat.title,
        "trial": chat.trial_id is not None,
        "folder": chat.folder_id if folders else None,
        "pinned_at": moment(chat.pinned_at) if chat.pinned_at else None,
        "archived_at": moment(chat.archived_at) if chat.archived_at else None,
        "created_at": moment(chat.created_at),
        "active_at": moment(chat.active_at),
        "head": str(chat.head_id) if chat.head_id else None,
        "deleted_at": moment(chat.deleted_at) if chat.deleted_at else None,
        "temporary_until": moment(chat.temporary_until) if chat.temporary_until else None,
    }
    yield from _in_time(chat)


_WITH = ("generation__version", "imported", "feedback", "flag")


def _in_time(conversation: Conversation) -> Iterator[Line]:
    """All messages of a conversation, whatever branch they are on, the oldest first."""
    rows = Message.objects.filter(conversation=conversation).select_related(*_WITH)
    rows = rows.defer("generation__reasoning").order_by("created_at", "pk")
    ahead = rows
    while found := list(ahead[:BATCH]):
        files = attached.whole(found)
        yield from (_message(message, files.get(message.pk, [])) for message in found)
        last = found[-1]
        later = Q(created_at__gt=last.created_at) | Q(pk__gt=last.pk)
        ahead = rows.filter(later, created_at__gte=last.created_at)


def _message(message: Message, files: list[Attachment]) -> Line:
    line: Line = {
        "kind": "message",
        "id": str(message.pk),
        "conversation": str(message.conversation_id),
        "parent": str(message.parent_id) if message.parent_id else None,
        "role": message.role,
        "text": message.text,
        "created_at": moment(message.created_at),
    }
    if files:
        line["attachments"] = [attached.line(file) for file in files]
    mark = getattr(message, "imported", None)
    if mark is not None:
        line |= {"imported": mark.origin, "sentence": mark.sentence}
    if message.role != Message.Role.ASSISTANT or mark is not None:
        return line
    made, said, flag = message.generation, getattr(message, "feedback", None), getattr(message, "flag", None)
    return line | {
        "version": made.version.number,
        "model": made.version.model,
        "status": made.status,
        "sentence": made.sentence,
        **({"citations": made.citations} if made.citations else {}),
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": made.completion_tokens,
        "rating": rating(said),
        "reasons": said.reasons if said else [],
        "comment": said.comment if said else "",
        "rated_at": moment(said.updated_at) if said else None,
        "flagged_at": moment(flag.created_at) if flag else None,
        "reply": (said.reply if said else "") or (flag.reply if flag else ""),
    }
