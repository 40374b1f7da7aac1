"""A person's own chats as files to be read: one of them, or all that they may open, as Markdown or as a web page.

The branch that is shown stands in them, and where there were other versions that is said; every branch is in the lines
of JSON that `person.py` writes. No system prompt and no key is in any of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.translation import get_language, gettext, gettext_noop, override

from conversations import access
from conversations.exports import markdown, webpage
from conversations.exports.streaming import gathered, streamed
from conversations.models import Conversation
from conversations.models.conversation import ConversationQuerySet

BROKEN = gettext_noop("This file is not complete: it broke off here. Download it again.")
BATCH = 20  # chats read at once


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of file. `parts` writes chats, of which `rows` are all; `broken` is around what the last line says."""

    suffix: str
    content_type: str
    parts: Callable[[ConversationQuerySet, Iterator[Conversation]], Iterator[str]]
    broken: str


FORMS = {
    "markdown": Form("md", "text/markdown; charset=utf-8", markdown.parts, "\n\n**{}**\n"),
    "html": Form("html", "text/html; charset=utf-8", webpage.parts, "<p><strong>{}</strong></p>"),
}


class ChatsExport:
    """One pass over the chats of `person`, or over one of them, that they may open at that moment."""

    def __init__(self, person: User, form: Form, chat: Conversation | None = None) -> None:
        self._person = person
        self._form = form
        self._language = get_language()  # of all of it, whichever thread writes on
        rows = access.conversations(person)
        self._rows = rows.filter(pk=chat.pk) if chat else rows
        self._parts = form.parts(self._rows, self._chats())

    def stream(self) -> AsyncIterator[bytes]:
        """The file, piece by piece."""
        return streamed(self._more, self._form.broken.format(gettext(BROKEN)).encode())

    def _more(self) -> bytes:
        access.active(self._person)
        with override(self._language):
            return gathered(self._parts)

    def _chats(self) -> Iterator[Conversation]:
        """The oldest first, in queries of their own: none stays open while the reader is slow."""
        rows = self._rows.select_related("persona__company").order_by("created_at", "pk")
        ahead = rows
        while found := list(ahead[:BATCH]):
            yield from found
            last = found[-1]
            later = Q(created_at__gt=last.created_at) | Q(pk__gt=last.pk)
            ahead = rows.filter(later, created_at__gte=last.created_at)
