"""What was brought in, into the index of words: some time after it came, as answers are filed after they ended."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Exists, Min, OuterRef

from conversations import attached, search
from conversations.models import Imported, Message

BATCH = 50  # messages in one transaction


def file_imported() -> bool:
    """Index some messages, each answer with its question and questions alone where there is none. False where no
    message is left."""
    if not Imported.objects.filter(filed=False).exists():  # as nearly always
        return False
    answer = Imported.objects.filter(
        message__parent=OuterRef("message"), message__role=Message.Role.ASSISTANT
    )
    rows = Imported.objects.select_related("message__parent", "message__conversation")
    rows = rows.annotate(answered=Exists(answer))
    waiting = list(rows.filter(filed=False).order_by("pk")[:BATCH])
    # Before the transaction: cutting texts into words takes its time.
    asked = {_question(mark) for mark in waiting}
    files = attached.words([pk for pk in asked if pk])
    ready = {
        mark.pk: search.imported(mark.pk, mark.message.conversation.owner_id, _words(mark, files))
        for mark in waiting
        if not (mark.answered and mark.message.role == Message.Role.USER)
    }
    with transaction.atomic():
        mine = Imported.objects.select_for_update(skip_locked=True).filter(
            pk__in=[mark.pk for mark in waiting], filed=False
        )
        ids = set(mine.values_list("pk", flat=True))
        search.put([ready[pk] for pk in ids if pk in ready])
        search.entitle(_titles([mark for mark in waiting if mark.pk in ids]))
        Imported.objects.filter(pk__in=ids).update(filed=True)
    return True


def _question(mark: Imported) -> uuid.UUID | None:
    """The question that is indexed with a message, which is itself where it is one."""
    message = mark.message
    return message.parent_id if message.role == Message.Role.ASSISTANT else message.pk


def _words(mark: Imported, files: dict[uuid.UUID, str]) -> str:
    message, question = mark.message, _question(mark)
    asked = message.parent.text if message.parent and message.role == Message.Role.ASSISTANT else ""
    return f"{asked}\n{message.text}\n{files.get(question, '') if question else ''}"


def _titles(filed: list[Imported]) -> dict[int, tuple[int, str]]:
    """By the number of its first message in the index, the owner and title of each conversation that begins here."""
    chats = {mark.message.conversation_id: mark.message.conversation for mark in filed}
    grouped = Imported.objects.filter(message__conversation__in=chats).values("message__conversation")
    firsts = grouped.annotate(first=Min("pk")).values_list("message__conversation", "first")
    return {search.IMPORTED + pk: (chats[chat].owner_id, chats[chat].title) for chat, pk in firsts}
