"""Who looks through a socket: what the cookies of its handshake let them see now. Everything here blocks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from conversations import access
from conversations.models import Conversation, Generation


class Visitor:
    """Whoever came with `cookies` to look at a conversation. Each question is asked anew, of the record."""

    def __init__(self, cookies: Mapping[str, str], conversation_id: uuid.UUID) -> None:
        self._cookies = cookies
        self._conversation_id = conversation_id

    def conversation(self) -> Conversation | None:
        """The conversation, where they may see it."""
        person = access.person_of_cookies(self._cookies)
        try:
            return access.conversation(person, self._conversation_id) if person else None
        except access.NotVisible:
            return None

    def deleted_it(self) -> bool:
        """Whether they deleted the conversation, and may still bring it back."""
        person = access.person_of_cookies(self._cookies)
        return person is not None and access.deleted(person).filter(pk=self._conversation_id).exists()

    def answer(self, generation_id: uuid.UUID) -> tuple[Conversation, Generation] | None:
        """An answer of the conversation; None where that is closed to them. Raises NotVisible."""
        conversation = self.conversation()
        return (conversation, access.generation(conversation, generation_id)) if conversation else None
