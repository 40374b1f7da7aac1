"""The lines of a person's data (`person/1`, docs/person.md): folders, then a conversation and its messages each.

What else such a file holds is passed over: it is of accounts, of other people's work and of records, which nobody can
bring in. So are trials of personas, which are no chats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations import attaching
from conversations.importing.chats import (
    CHAT_CHARS,
    MESSAGES,
    ORIGIN_CHARS,
    SENTENCE_CHARS,
    TITLE_CHARS,
    TOO_LONG,
    TOO_MANY,
    WRONG,
    Bad,
    Chat,
    Said,
    identity,
    moment,
    words,
)
from conversations.importing.elements import CUT, parsed
from conversations.importing.source import Unusable
from conversations.models import Message
from conversations.order import FOLDER_CHARS
from conversations.posting import clean

FORMAT = "person/1"
MOST_FOLDERS = 1_000  # of a file that are remembered
MOST_BYTES = 2 * CHAT_CHARS  # of the lines of a conversation
TOO_MANY_FILES = gettext_noop("A message of it has more than 8 files, or one of more than 1 MB.")
NEWER = gettext_noop("This export is of a kind that is not known here.")

Object = dict[str, Any]


@dataclass(slots=True)
class Group:
    """The lines of one conversation."""

    head: Object
    folder: str = ""
    messages: list[Object] = field(default_factory=list)
    size: int = 0  # bytes
    problem: str = ""

    def take(self, line: Object, size: int) -> None:
        """A further message, unless it is known that the conversation cannot be kept."""
        self.size += size
        if len(self.messages) == MESSAGES or self.size > MOST_BYTES:
            self.problem = TOO_MANY if self.size <= MOST_BYTES else TOO_LONG
        if self.problem:
            self.messages.clear()
        else:
            self.messages.append(line)

    def chat(self) -> Chat:
        """The conversation. Raises Bad."""
        title = words(self.head.get("title"), TITLE_CHARS)
        if self.problem:
            raise Bad(self.problem, title)
        created = moment(self.head.get("created_at"), timezone.now())
        persona = words(self.head.get("persona"), ORIGIN_CHARS)
        head, pinned = self.head.get("head"), self.head.get("pinned_at")
        return Chat(
            id=identity(self.head.get("id"), title),
            title=title,
            created_at=created,
            active_at=moment(self.head.get("active_at"), created),
            head=identity(head, title) if head is not None else None,
            said=[_said(line, persona, title) for line in self.messages],
            archived=self.head.get("archived_at") is not None,
            folder=self.folder,
            pinned_at=moment(pinned, timezone.now()) if pinned is not None else None,
            of=(words(self.head.get("company"), ORIGIN_CHARS), persona),
        ).checked()


def is_export(first: Any) -> bool:
    """Whether a first line is that of such a file. Raises Unusable for one of another version."""
    if not isinstance(first, dict) or first.get("kind") != "export":
        return False
    if first.get("format") != FORMAT:
        raise Unusable(NEWER)
    return True


def groups(found: Iterator[bytes | Bad]) -> Iterator[Group | Bad]:
    """The conversations of a file, one after the other. Raises Unusable at the end where that is missing."""
    group: Group | None = None
    folders: dict[int, str] = {}
    ended = False
    for text in found:
        line = _object(text)
        if isinstance(line, Bad):
            if group is None:
                yield line
            else:  # without it what follows would stand wrongly
                group.problem = line.sentence
        elif line.get("kind") == "message":
            if group is not None:
                group.take(line, len(text) if isinstance(text, bytes) else 0)
        else:
            if group is not None:
                yield group
            chat = line.get("kind") == "conversation" and not line.get("trial")
            group = Group(line, _named(folders, line.get("folder"))) if chat else None
            if (
                line.get("kind") == "folder"
                and len(folders) < MOST_FOLDERS
                and isinstance(line.get("id"), int)
            ):
                folders[line["id"]] = words(line.get("name"), FOLDER_CHARS)
            ended |= line.get("kind") == "end"
    if group is not None:
        yield group
    if not ended:
        raise Unusable(CUT)


def _named(folders: dict[int, str], folder: Any) -> str:
    return folders.get(folder, "") if isinstance(folder, int) else ""


def _object(text: bytes | Bad) -> Object | Bad:
    if isinstance(text, Bad):
        return text
    try:
        line = parsed(text)
    except Bad as bad:
        return bad
    return line if isinstance(line, dict) else Bad(WRONG)


def _said(line: Object, persona: str, title: str) -> Said:
    try:
        role = Message.Role(str(line.get("role")))
    except ValueError as error:
        raise Bad(WRONG, title) from error
    text, parent = line.get("text"), line.get("parent")
    if not isinstance(text, str):
        raise Bad(WRONG, title)
    return Said(
        id=identity(line.get("id"), title),
        parent=identity(parent, title) if parent is not None else None,
        role=role,
        text=clean(text),
        at=moment(line.get("created_at"), timezone.now()),
        origin=_origin(line, persona) if role == Message.Role.ASSISTANT else "",
        sentence=words(line.get("sentence"), SENTENCE_CHARS),
        files=_files(line.get("attachments"), title) if role == Message.Role.USER else [],
    )


def _files(value: Any, title: str) -> list[attaching.File]:
    """What hangs on a question, by the rules for what people attach here. Raises Bad."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Bad(WRONG, title)
    if len(value) > attaching.MOST:
        raise Bad(TOO_MANY_FILES, title)
    files = []
    for each in value:
        name, text = (each.get("name"), each.get("text")) if isinstance(each, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(text, str):
            raise Bad(WRONG, title)
        file = attaching.made(attaching.named(clean(name[:1_000])), clean(text))
        if file.size > attaching.MOST_BYTES:
            raise Bad(TOO_MANY_FILES, title)
        files.append(file)
    return list(attaching.apart(files))


def _origin(line: Object, persona: str) -> str:
    """Who gave an answer: what an earlier import had been told, or else the persona that it was here."""
    if earlier := words(line.get("imported"), ORIGIN_CHARS):
        return earlier
    version = line.get("version")
    known = isinstance(version, int) and not isinstance(version, bool)
    return f"{persona[:150]}, version {version}" if known and persona else persona or "Another site"
