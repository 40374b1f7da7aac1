"""What an entry must be to become a chat, whatever format it comes from."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations.attaching import File
from conversations.models import Message
from conversations.posting import clean, title_of

MESSAGES = 10_000  # of a chat
MESSAGE_CHARS = 512 * 1024
CHAT_CHARS = 16 * 1024 * 1024
TITLE_CHARS, ID_CHARS, ORIGIN_CHARS, SENTENCE_CHARS = 120, 200, 200, 1_000

WRONG = gettext_noop("It is not made as a chat is.")
CIRCLE = gettext_noop("Its messages lead in a circle.")
EMPTY = gettext_noop("Nobody says anything in it.")
TOO_MANY = gettext_noop("It has more than 10,000 messages.")
TOO_LONG = gettext_noop("A message of it is longer than 512 KB, or all of them together than 16 MB.")

_TICK = timedelta(microseconds=1)


class Bad(Exception):
    """An entry that cannot be read; says why in a sentence, and which one where that is known."""

    def __init__(self, sentence: str, title: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.title = title


@dataclass(slots=True)
class Said:
    """A message as the file has it, by the ids of the file. `origin` is what it calls the author."""

    id: str
    parent: str | None
    role: Message.Role
    text: str
    at: datetime
    origin: str = ""
    sentence: str = ""
    files: list[File] = field(default_factory=list)


@dataclass(slots=True)
class Chat:
    """A chat as the file has it. `of` names the company and persona there."""

    id: str
    title: str
    created_at: datetime
    active_at: datetime
    head: str | None
    said: list[Said] = field(default_factory=list)
    archived: bool = False
    folder: str = ""
    pinned_at: datetime | None = None
    of: tuple[str, str] = ("", "")

    def checked(self) -> Chat:
        """The chat with its messages in an order in which each stands behind the one that it follows. Raises Bad."""
        if not self.said:
            raise Bad(EMPTY, self.title)
        if len(self.said) > MESSAGES:
            raise Bad(TOO_MANY, self.title)
        sizes = [len(each.text) for each in self.said]
        attached = sum(file.size for each in self.said for file in each.files)
        if max(sizes) > MESSAGE_CHARS or sum(sizes) + attached > CHAT_CHARS:
            raise Bad(TOO_LONG, self.title)
        self.said = self._in_order()
        ids = {each.id for each in self.said}
        if self.head not in ids:
            self.head = self.said[-1].id
        first = next((each.text for each in self.said if each.text.strip()), "")
        self.title = self.title or (title_of(first) if first else "Imported chat")
        return self

    def _in_order(self) -> list[Said]:
        """From the first messages down. Versions of one another differ in their times: a page orders them by these."""
        known = {each.id for each in self.said}
        if len(known) < len(self.said):
            raise Bad(gettext_noop("Two of its messages have the same name."), self.title)
        replies: dict[str | None, list[Said]] = defaultdict(list)
        for each in self.said:
            if each.parent is not None and each.parent not in known:
                raise Bad(gettext_noop("A message of it follows one that is not there."), self.title)
            replies[each.parent].append(each)
        found: list[Said] = []
        waiting: list[str | None] = [None]
        while waiting:
            beside = sorted(replies.pop(waiting.pop(), []), key=lambda each: each.at)
            for earlier, later in pairwise(beside):
                later.at = max(later.at, earlier.at + _TICK)
            found += beside
            waiting += [each.id for each in beside]
        if len(found) < len(self.said):
            raise Bad(CIRCLE, self.title)
        return found


def words(value: Any, most: int) -> str:
    """A value that is to be one line of text; empty where it is none."""
    return " ".join(clean(value[: 4 * most]).split())[:most].strip() if isinstance(value, str) else ""


def identity(value: Any, title: str = "") -> str:
    """A value that is to name something. Raises Bad."""
    name = clean(value) if isinstance(value, str) else ""
    if not 0 < len(name) <= ID_CHARS:
        raise Bad(WRONG, title)
    return name


def moment(value: Any, without: datetime) -> datetime:
    """A time as a number of seconds or as a text; `without` where it is none. Nothing was said in the future."""
    found: datetime | None = None
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value[:40])
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    if found is None or not 1970 < found.year < 9999:
        return without
    found = found if timezone.is_aware(found) else found.replace(tzinfo=UTC)
    return min(found, timezone.now())
