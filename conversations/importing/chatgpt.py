"""An entry of ChatGPT's `conversations.json`: a tree of nodes, of which some hold what was said.

Kept is what its page shows: questions and answers with their branches. System messages, what tools were told and gave
back, what a model thought to itself and whatever was hidden are passed over. An answer in several messages is one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations.importing.chats import (
    CHAT_CHARS,
    CIRCLE,
    ORIGIN_CHARS,
    TITLE_CHARS,
    TOO_LONG,
    WRONG,
    Bad,
    Chat,
    Said,
    identity,
    moment,
    words,
)
from conversations.models import Message
from conversations.posting import clean

USER, ASSISTANT = Message.Role.USER, Message.Role.ASSISTANT
# What stands around the marks of citations, in characters of the private use area.
_CITATION = re.compile("\ue200[^\ue200\ue201]*\ue201")
PICTURE = "*[A picture was here.]*"

Object = dict[str, Any]


def chat(entry: Any) -> Chat:
    """A conversation. Raises Bad."""
    title = words(entry.get("title"), TITLE_CHARS) if isinstance(entry, dict) else ""
    if not isinstance(entry, dict) or not isinstance(entry.get("mapping"), dict):
        raise Bad(gettext_noop("This is no conversation of ChatGPT’s."), title)
    created = moment(entry.get("create_time"), timezone.now())
    tree = _Tree(entry["mapping"], title, created)
    said = tree.said()
    last = max((each.at for each in said), default=created)
    return Chat(
        id=identity(entry.get("conversation_id") or entry.get("id"), title),
        title=title,
        created_at=created,
        active_at=moment(entry.get("update_time"), last),
        head=tree.lands.get(clean(str(entry.get("current_node")))),
        said=said,
        archived=entry.get("is_archived") is True,
    ).checked()


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer so far: its last part, and the parts before it. Joined once it is known where it ends."""

    said: Said
    before: _Answer | None
    size: int

    def joined(self) -> Said:
        parts, part = [], self
        while part.before is not None:
            parts.append(part.said.text)
            part = part.before
        parts.append(part.said.text)
        first = part.said
        text = "\n\n".join(reversed(parts))
        return Said(self.said.id, first.parent, ASSISTANT, text, first.at, self.said.origin or first.origin)


class _Tree:
    """The nodes of one conversation. `lands` says by node which message it belongs to."""

    def __init__(self, nodes: Object, title: str, created: datetime) -> None:
        self._title = title
        self._created = created
        self._nodes: dict[str, Object] = {}
        self._children: dict[str | None, list[str]] = defaultdict(list)
        self._found: dict[str, Said] = {}
        self._size = 0
        self.lands: dict[str, str | None] = {}
        for name, node in nodes.items():
            if not isinstance(node, dict):
                raise Bad(WRONG, title)
            self._nodes[identity(name, title)] = node
        for name, node in self._nodes.items():
            parent = node.get("parent")
            if parent is not None and not isinstance(parent, str):
                raise Bad(WRONG, title)
            self._children[clean(parent) if parent and clean(parent) in self._nodes else None].append(name)

    def said(self) -> list[Said]:
        """What is kept, from the roots down. Raises Bad."""
        seen = 0
        waiting: list[tuple[str, str | None, _Answer | None]] = [
            (name, None, None) for name in self._children[None]
        ]
        while waiting:
            name, above, answer = waiting.pop()
            seen += 1
            said = self._said(name, above)
            if said is not None and said.role == USER:
                if answer is not None:
                    said.parent = self._keep(answer)
                self._found[said.id] = said
                above, answer = said.id, None
            elif said is not None:
                size = len(said.text) + (answer.size if answer else 0)
                answer = _Answer(said, answer, size)
            self.lands[name] = answer.said.id if answer else above
            below = self._children.get(name, [])
            if answer is not None and not below:
                self._keep(answer)
            waiting += [(each, above, answer) for each in reversed(below)]
        if seen < len(self._nodes):
            raise Bad(CIRCLE, self._title)
        return list(self._found.values())

    def _keep(self, answer: _Answer) -> str:
        if answer.said.id not in self._found:
            self._size += answer.size
            if self._size > CHAT_CHARS:
                raise Bad(TOO_LONG, self._title)
            self._found[answer.said.id] = answer.joined()
        return answer.said.id

    def _said(self, name: str, above: str | None) -> Said | None:
        """What a node says to somebody, or None."""
        message = self._nodes[name].get("message")
        if message is None:
            return None
        author = message.get("author") if isinstance(message, dict) else None
        if not isinstance(author, dict) or not isinstance(message.get("content"), dict):
            raise Bad(WRONG, self._title)
        about = message.get("metadata")
        about = about if isinstance(about, dict) else {}
        role = {"user": USER, "assistant": ASSISTANT}.get(str(author.get("role")))
        aside = message.get("recipient") not in {None, "all"} or about.get(
            "is_visually_hidden_from_conversation"
        )
        if role is None or aside:
            return None
        text = _CITATION.sub("", clean(_text(message["content"]))).strip("\n")
        if not text.strip():
            return None
        origin = (words(about.get("model_slug"), ORIGIN_CHARS) or "ChatGPT") if role == ASSISTANT else ""
        return Said(name, above, role, text, moment(message.get("create_time"), self._created), origin)


def _text(content: Object) -> str:
    kind, parts = content.get("content_type"), content.get("parts")
    if kind == "code" and isinstance(content.get("text"), str):
        return f"```\n{content['text']}\n```"
    if kind not in {"text", "multimodal_text"} or not isinstance(parts, list):
        return ""
    return "\n\n".join(filter(None, map(_part, parts)))


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return str(part["text"])  # a transcript
    if isinstance(part, dict) and "image" in str(part.get("content_type"))[:40]:
        return PICTURE
    return ""
