"""Chats shown to colleagues by a link: made for some days, told once, taken back at any time.

A link shows the branch down to the message that was the last when it was made. Messages never change once they have
ended, and editing makes another branch, so what was shown stays what was shown; what is written later is not. The chat
itself is not copied: a link leads to it for as long as it is there and its owner may open it. Callers have been
through `access`.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations import standing
from conversations.models import Conversation, Generation, SharedLink
from conversations.posting import Refused

DAYS = (1, 7, 30, 90)
OPEN = 100  # links of a person at most


def share(chat: Conversation, days: int) -> str:
    """Make a link to `chat` as it is now, good for so many `days`, of a temporary one for as long as that is there.
    Gives back its secret, which nobody can find out later. Raises Refused."""
    if days not in DAYS:
        raise Refused(_("Choose how long the link is to be good. None was made."), status=400)
    now = timezone.now()
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        if not standing.is_there(chat):
            raise Refused(_("This chat was removed because its time was over. No link was made."), status=410)
        head = Conversation.objects.values_list("head_id", flat=True).get(pk=chat.pk)
        if head is None:
            raise Refused(_("Nothing is said in this chat yet. No link was made."), status=409)
        if Generation.objects.live().filter(message=head).exists():
            raise Refused(
                _("An answer is still being written here. Wait for its end, then share."), status=409
            )
        mine = SharedLink.objects.filter(conversation__owner=chat.owner_id)
        mine.filter(expires_at__lte=now).delete()
        if mine.count() >= OPEN:
            full = _("You have %(number)s links, the most there can be. Revoke one first.")
            raise Refused(full % {"number": OPEN}, status=409)
        until = min(filter(None, (now + timedelta(days=days), chat.temporary_until)))
        SharedLink.objects.create(token_hash=hashed(token), conversation=chat, head_id=head, expires_at=until)
    return token


def hashed(token: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
