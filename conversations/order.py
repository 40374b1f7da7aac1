"""How a person keeps their chats in order: titles, pins, folders, and what is put away.

Callers have been through `access.py`. Each verb takes several chats and can be taken back by another one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations import posting, search
from conversations.models import AnswerRecord, Conversation, Folder, Imported
from conversations.models.conversation import ConversationQuerySet
from conversations.posting import Refused
from conversations.rendering import plaintext

PINS = 20  # at most: more would be a list of its own
FOLDERS = 100
TITLE_CHARS, FOLDER_CHARS = 120, 60

# What is said of a line that is empty, and of one that is too long.
A_TITLE = (
    gettext_noop("Give a title."),
    gettext_noop("Give a title of at most %(most)s characters; this one has %(length)s."),
)
A_NAME = (
    gettext_noop("Give a name."),
    gettext_noop("Give a name of at most %(most)s characters; this one has %(length)s."),
)


def rename(chat: Conversation, title: str) -> None:
    """Give a chat another title, which is the person's own from then on. Raises Refused."""
    title = _line(title, TITLE_CHARS, A_TITLE)
    entitle(chat, title, Conversation.TitledBy.PERSON)


def entitle(chat: Conversation, title: str, by: Conversation.TitledBy) -> None:
    """Give a chat another title, and have it found by that one."""
    Conversation.objects.filter(pk=chat.pk).update(title=title, titled_by=by)
    chat.title = title
    if chat.temporary_until is not None:
        return  # which is not in the index
    first = AnswerRecord.objects.filter(conversation=chat).aggregate(first=Min("pk"))["first"]
    brought = Imported.objects.filter(message__conversation=chat, filed=True).aggregate(first=Min("pk"))[
        "first"
    ]
    titled = [first, brought and search.IMPORTED + brought]  # else it is filed with the answer
    search.entitle({pk: (chat.owner_id, title) for pk in titled if pk is not None})


def pin(person: User, chats: Sequence[Conversation]) -> None:
    """Have chats stand above the others, the last one pinned first. Raises Refused beyond PINS."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)  # of two at once the second sees the first
        others = _pinned(person).exclude(pk__in=[chat.pk for chat in chats])
        if others.count() + len(chats) > PINS:
            full = _("%(number)s chats are pinned, the most there can be. Unpin one first.")
            raise Refused(full % {"number": PINS}, status=409)
        _of(chats).filter(pinned_at=None).update(pinned_at=timezone.now(), archived_at=None)


def pins_left(person: User) -> int:
    """How many more chats can be pinned."""
    return PINS - _pinned(person).count()


def unpin(chats: Sequence[Conversation]) -> None:
    """Have chats stand among the others again."""
    _of(chats).update(pinned_at=None)


def archive(chats: Sequence[Conversation]) -> None:
    """Put chats away. They are found as before, and stand in no list but that of what was put away."""
    _of(chats).filter(archived_at=None).update(archived_at=timezone.now(), pinned_at=None)


def unarchive(chats: Sequence[Conversation]) -> None:
    """Bring chats back."""
    _of(chats).update(archived_at=None)


def move(chats: Sequence[Conversation], folder: Folder | None) -> None:
    """Put chats into `folder`, or into none."""
    _of(chats).update(folder=folder)


def make_folder(person: User, name: str) -> Folder:
    """A folder by this name, the one that there is or a new one. Raises Refused."""
    name = _line(name, FOLDER_CHARS, A_NAME)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)
        if found := Folder.objects.filter(owner=person, name=name).first():
            return found
        if Folder.objects.filter(owner=person).count() >= FOLDERS:
            full = _("You have %(number)s folders, the most there can be. Remove one first.")
            raise Refused(full % {"number": FOLDERS}, status=409)
        return Folder.objects.create(owner=person, name=name)


def rename_folder(folder: Folder, name: str) -> None:
    """Give a folder another name. Raises Refused."""
    folder.name = _line(name, FOLDER_CHARS, A_NAME)
    try:
        with transaction.atomic():
            folder.save(update_fields=["name"])
    except IntegrityError as taken:
        raise Refused(_("You have a folder of this name already."), status=409) from taken


def remove_folder(folder: Folder) -> None:
    """Remove a folder. Its chats stay, in none."""
    folder.delete()


def _pinned(person: User) -> ConversationQuerySet:
    return Conversation.objects.filter(owner=person, pinned_at__isnull=False, deleted_at=None)


def _of(chats: Sequence[Conversation]) -> ConversationQuerySet:
    return Conversation.objects.filter(pk__in=[chat.pk for chat in chats])


def _line(text: str, most: int, sentences: tuple[str, str]) -> str:
    none, long = sentences
    line = " ".join(plaintext.clean(posting.clean(text)).split())
    if all(unicodedata.category(each) == "Cf" for each in line):
        raise Refused(_(none), status=400)
    if len(line) > most:
        raise Refused(_(long) % {"most": most, "length": len(line)}, status=400)
    return line
