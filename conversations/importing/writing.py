"""From what was read to rows, in transactions of a few hundred messages.

Each row is named by the person and by what the file calls it, so that what is there already is found and written no
second time. A transaction names the one before it by the step of the import, so that of two processes one does it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations import access, attaching, deleting, order, retention, standing
from conversations.importing.chats import Bad, Chat
from conversations.models import (
    Attachment,
    Conversation,
    Folder,
    Import,
    Imported,
    Message,
    Persona,
)
from conversations.posting import Refused

Status = Import.Status

MESSAGES = 150  # in one transaction: some 50 ms of SQLite's lock
FILE_BYTES = 2 * 1024 * 1024  # of what is attached to them, in one transaction, but for the last message's
PROBLEMS = 50  # that are told with their titles
MOST_BAD = 2_000  # entries, after which nobody goes on
IDS = uuid.UUID("6f6c2c0e-9a63-5a0f-8d0c-3f0f0c1c5d5e")  # what all names here begin with

NOTHING, REST = gettext_noop("Nothing was kept."), gettext_noop("What came before that was kept.")
NO_CHATS = gettext_noop("There are no chats in this file.")
NONE_GOOD = gettext_noop("Nothing in this file can be read as a chat.")
HOPELESS = gettext_noop("Too much of this file cannot be read.")
CLOSED = gettext_noop("Your place at this company was closed.")


Files = dict[uuid.UUID, list[Attachment]]  # by message


@dataclass(slots=True)
class Batch:
    """What was read of a file. `sentence` says why it ended, where it did not end well."""

    chats: list[Chat] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    entries: int = 0
    ended: bool = False
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class _Rows:
    """A chat as rows, before it is known which of them are there already."""

    conversation: Conversation
    folder: str
    head: uuid.UUID
    marked: list[Imported]
    files: Files


def parts(file: Import, batch: Batch, read: int) -> Iterator[bool]:
    """Keep what was read of a file up to the byte `read`, a transaction at each step. Gives False where another process
    was quicker, or where it is over."""
    chats = _chosen(file, batch.chats)
    files = {pk: hung for chat in chats for pk, hung in chat.files.items()}
    pieces = list(_pieces([mark for chat in chats for mark in chat.marked], files))
    personas = {chat.conversation.persona_id: chat.conversation.persona for chat in chats}
    new: Counter[uuid.UUID] = Counter()
    for number, piece in enumerate(pieces, 1):
        with transaction.atomic():
            going = _has_turn(file, personas.values())
            if going and number == 1:
                _open(file.person, chats, whole=len(pieces) == 1)
            if going:
                new.update(_add(piece, files))
            if going and number == len(pieces):
                _show(chats, new)
                going = _account(file, chats, new, batch, read)
        yield going
        if not going:
            return


def _pieces(marked: list[Imported], files: Files) -> Iterator[list[Imported]]:
    """The messages, as many at a time as one transaction takes; none once where there are none."""
    piece: list[Imported] = []
    size = 0
    for mark in marked:
        if len(piece) == MESSAGES or size > FILE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(mark)
        size += sum(file.size for file in files.get(mark.message_id, ()))
    yield piece


def end(file: Import, sentence: str) -> None:
    """Go no further with a file that is not over yet, and say why."""
    kept = bool(file.chats or file.known or file.too_old)
    Import.objects.filter(pk=file.pk, status=Status.WAITING).update(
        status=Status.DONE if kept else Status.FAILED,
        sentence=sentence and f"{sentence} {REST if kept else NOTHING}",
    )


def _chosen(file: Import, chats: list[Chat]) -> list[_Rows]:
    """The chats that are to be kept, each with its persona: one of the same name and company, or the one chosen."""
    offered = {(each.company.name, each.name): each for each in access.personas(file.person)}
    named = {chat.id: found for chat in chats if (found := _uuid(chat.id))}
    mine = Conversation.objects.filter(owner=file.person)
    # What was deleted a moment ago is wanted again.
    again = [*named.values(), *(_id_of(file, chat) for chat in chats)]
    if deleted := access.conversations_among(file.person, again, deleted=True):
        deleting.restore(list(deleted.values()))
    here = set(mine.filter(pk__in=named.values()).values_list("pk", flat=True))
    now = timezone.now()
    days = retention.in_force(now=now)
    chosen = []
    for chat in chats:
        persona = offered.get(chat.of, file.persona)
        if named.get(chat.id) in here:  # the file was made here, and what it was made of is still there
            file.known += 1
        elif persona.pk in days and chat.active_at < now - timedelta(days=days[persona.pk]):
            file.too_old += 1
        else:
            chosen.append(_rows(file, chat, persona))
    return chosen


def _id_of(file: Import, chat: Chat) -> uuid.UUID:
    return uuid.uuid5(IDS, f"{file.person_id} {chat.id}")


def _rows(file: Import, chat: Chat, persona: Persona) -> _Rows:
    pk = _id_of(file, chat)
    ids = {said.id: uuid.uuid5(pk, said.id) for said in chat.said}
    conversation = Conversation(
        pk=pk,
        owner=file.person,
        persona=persona,
        title=chat.title,
        titled_by=Conversation.TitledBy.PERSON,
        created_at=chat.created_at,
        active_at=chat.active_at,
        archived_at=timezone.now() if chat.archived else None,
        pinned_at=chat.pinned_at,
    )
    marked = [
        Imported(
            message=Message(
                pk=ids[said.id],
                conversation=conversation,
                parent_id=ids[said.parent] if said.parent is not None else None,
                role=said.role,
                text=said.text,
                created_at=said.at,
            ),
            origin=said.origin,
            sentence=said.sentence,
        )
        for said in chat.said
    ]
    messages = {mark.message_id: mark.message for mark in marked}
    files = {
        pk: attaching.rows(messages[pk], said.files)
        for said in chat.said
        if (pk := ids[said.id]) and said.files
    }
    return _Rows(conversation, chat.folder, ids[chat.head or chat.said[-1].id], marked, files)


def _has_turn(file: Import, personas: Iterable[Persona]) -> bool:
    """Whether the next transaction is ours, and the person may still write where it would."""
    mine = Import.objects.filter(pk=file.pk, step=file.step, status=Status.WAITING)
    if not mine.update(step=F("step") + 1):
        return False
    file.step += 1
    if all(standing.may_write(file.person, persona) for persona in personas):
        return True
    end(file, CLOSED)
    return False


def _open(person: User, chats: list[_Rows], *, whole: bool) -> None:
    """Write the conversations that are not there yet. They show their branch once the `whole` of it is there."""
    pins = order.pins_left(person) if any(chat.conversation.pinned_at for chat in chats) else 0
    folders = {name: _folder(person, name) for name in dict.fromkeys(chat.folder for chat in chats) if name}
    for chat in chats:
        chat.conversation.head_id = chat.head if whole else None
        chat.conversation.folder = folders.get(chat.folder)
        if chat.conversation.pinned_at:
            pins -= 1
            chat.conversation.pinned_at = chat.conversation.pinned_at if pins >= 0 else None
    Conversation.objects.bulk_create([chat.conversation for chat in chats], ignore_conflicts=True)


def _folder(person: User, name: str) -> Folder | None:
    """That of the name, and none where there is no room for another one."""
    with contextlib.suppress(Refused):
        return order.make_folder(person, name)
    return None


def _add(part: list[Imported], files: Files) -> list[uuid.UUID]:
    """Write the messages that are not there yet; by message, the conversation of each that was written."""
    marks = {mark.message_id: mark for mark in part}  # a file may have the same chat twice
    there = set(Message.objects.filter(pk__in=list(marks)).values_list("pk", flat=True))
    new = [mark for pk, mark in marks.items() if pk not in there]
    _place([mark.message for mark in new])
    Message.objects.bulk_create([mark.message for mark in new])
    Imported.objects.bulk_create(new)
    Attachment.objects.bulk_create(file for mark in new for file in files.get(mark.message_id, ()))
    return [mark.message.conversation_id for mark in new]


def _place(new: list[Message]) -> None:
    """Give each its place: the first reply goes on where its parent stands, any other begins a strand."""
    above = {message.parent_id for message in new if message.parent_id}
    rows = Message.objects.filter(pk__in=above).values_list("pk", "strand", "depth")
    places = {pk: (strand, depth) for pk, strand, depth in rows}
    replied = set(Message.objects.filter(parent_id__in=above).values_list("parent_id", flat=True))
    for message in new:
        strand, depth = places[message.parent_id] if message.parent_id else (message.pk, -1)
        message.strand = message.pk if message.parent_id in replied else strand
        message.depth = depth + 1
        places[message.pk] = message.strand, message.depth
        if message.parent_id:
            replied.add(message.parent_id)


def _show(chats: list[_Rows], new: Counter[uuid.UUID]) -> None:
    """Have the branch shown that the file shows, wherever nobody has written since it was brought in before."""
    grown = {chat.conversation.pk: chat for chat in chats if new[chat.conversation.pk]}
    changed = []
    for kept in Conversation.objects.select_for_update().filter(pk__in=grown).order_by("pk"):
        chat = grown[kept.pk]
        if kept.head_id == chat.head:
            continue
        if kept.head_id is None or kept.head_id in {mark.message_id for mark in chat.marked}:
            kept.head_id = chat.head
            kept.active_at = max(kept.active_at, chat.conversation.active_at)
            changed.append(kept)
    Conversation.objects.bulk_update(changed, ["head", "active_at"])


def _account(file: Import, chats: list[_Rows], new: Counter[uuid.UUID], batch: Batch, read: int) -> bool:
    """Note how far it came. Whether there is more to come."""
    came = sum(1 for chat in chats if new[chat.conversation.pk])
    file.chats += came
    file.known += len(chats) - came
    file.messages += new.total()
    file.bad += len(batch.bad)
    told = [{"title": bad.title, "why": bad.sentence} for bad in batch.bad]
    file.problems = [*file.problems, *told][:PROBLEMS]
    file.position += batch.entries
    file.read = min(file.size, max(file.read, read))
    file.changed_at = timezone.now()
    file.save()
    if batch.ended:
        none = NONE_GOOD if file.bad else NO_CHATS
        end(file, batch.sentence or ("" if file.chats or file.known or file.too_old else none))
    elif file.bad > MOST_BAD:
        end(file, HOPELESS)
    return not batch.ended and file.bad <= MOST_BAD


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
