"""Chats that their owner wants gone: deleted, which can be undone for some seconds, or temporary from the beginning.

The moment of it stands in the record, by the clock of the database, and the keeper of any process finishes it: nothing
depends on the page that asked, or on the process. What is under review or held goes once that is over; until then its
company's reviewers may read it, and nobody else. Callers have been through `access.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from conversations import metrics, removal, traces
from conversations.models import Conversation, Generation
from conversations.models.conversation import GRACE, ConversationQuerySet
from conversations.models.keeping import held

logger = logging.getLogger(__name__)


def delete(chats: Sequence[Conversation]) -> int:
    """Delete chats, and have the answers that are being written in them stopped, in whichever process. Gives back how
    many of the chats stay for now, because they are under review or held."""
    with transaction.atomic():
        # The chats first: a question that was let in before has its answer by now, and none is let in after.
        _of(chats).update(deleted_at=Now())
        Generation.objects.live().filter(conversation__in=chats).update(stop_requested=True)
        return _of(chats).filter(held()).count()


def stays(chat: Conversation) -> bool:
    """Whether a chat that is to go has to stay for now, under review or held."""
    return _of([chat]).filter(held()).exists()


def wait(chats: Sequence[Conversation]) -> None:
    """Begin the time anew in which deleted chats can be brought back: somebody is still deciding."""
    _of(chats).there().filter(deleted_at__isnull=False).update(deleted_at=Now())


def restore(chats: Sequence[Conversation]) -> int:
    """Bring deleted chats back as they were. Gives back how many there still were."""
    return _of(chats).there().filter(deleted_at__isnull=False).update(deleted_at=None)


def work() -> bool:
    """Remove some of the chats that can be brought back no more, and of the temporary ones whose time is over. False
    where there are none that may go. Blocks."""
    return any([_remove(Q(deleted_at__lt=Now() - GRACE)), _remove(Q(temporary_until__lt=Now()))])


def _remove(over: Q) -> bool:
    due = Conversation.objects.filter(over)
    if not due.exists():  # as nearly always
        return False
    live = Generation.objects.live().filter(conversation__in=due.values("pk"))
    if live.exists():  # else nothing is written, which would keep SQLite's writers waiting
        live.update(stop_requested=True)
    found = list(due.filter(removal.removable()).values_list("pk", flat=True)[: removal.CONVERSATIONS])
    if not found:
        return False
    try:
        with transaction.atomic():
            removed = removal.remove(removal.batch(found), over)
    except IntegrityError:  # something was hung on a chat at that moment: next time it goes along
        logger.warning("a batch of deleted chats has to be tried again", exc_info=True)
        return False
    metrics.removed.labels("owner").inc(removed.conversations)
    traces.due()
    return removed.conversations > 0


def _of(chats: Sequence[Conversation]) -> ConversationQuerySet:
    return Conversation.objects.filter(pk__in=[chat.pk for chat in chats])
