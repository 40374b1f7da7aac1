"""Chats as Markdown. What a model wrote is Markdown, and stands in it as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

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
    sentence = _("Taken on %(when)s. Where a message has alternatives, they are in the JSON export.")
    return sentence % {"when": _zoned(timezone.now())}


def _head(chat: Conversation) -> str:
    whose = {"persona": chat.persona.name, "company": chat.persona.company.name}
    began = _("%(persona)s, %(company)s. Begun %(when)s.") % {**whose, "when": _zoned(chat.created_at)}
    return f"# {plaintext.clean(chat.title)}\n\n{began}\n"


def _message(said: Said) -> str:
    facts = [date_format(timezone.localtime(said.message.created_at), "DATETIME_FORMAT")]
    if said.versions > 1:
        which = {"position": said.position, "versions": said.versions}
        facts.append(_("alternative %(position)s of %(versions)s") % which)
    if said.imported is not None:
        facts.append(pgettext("message", "imported"))
    ending = f"\n*{said.sentence}*\n" if said.sentence else ""
    author = said.name or _("You")
    if said.version:
        author = _("%(persona)s, version %(number)s") % {"persona": said.name, "number": said.version}
    lead = _("Attached file:")
    files = "".join(f"\n{fenced(file.name, file.text, lead)}\n" for file in said.files)
    return f"\n## {author}\n\n*{', '.join(facts)}*\n\n{said.text.strip()}\n{files}{ending}"


def _zoned(moment: datetime) -> str:
    local = timezone.localtime(moment)
    return f"{date_format(local, 'DATETIME_FORMAT')} {local:%Z}"
