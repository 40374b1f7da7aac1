"""What people show each other by links: whose they are, and who may follow one."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from conversations.access.nobody import one
from conversations.access.own import conversations
from conversations.models import Conversation, Membership, SharedLink
from conversations.models.conversation import present


def shared_links(person: User) -> QuerySet[SharedLink]:
    """The links to the person's own chats that still lead there."""
    links = SharedLink.objects.filter(conversation__in=conversations(person), expires_at__gt=timezone.now())
    return links.select_related("conversation")


def shared_link(person: User, link_id: int) -> SharedLink:
    """One of `shared_links`. Raises NotVisible."""
    return one(shared_links(person).filter(pk=link_id))


def shared(person: User, token_hash: str) -> SharedLink:
    """What a link with the secret of this hash shows `person`: a chat of their own company, for as long as its owner
    belongs to that too and has it. Raises NotVisible, whatever the reason."""
    there = Membership.objects.filter(company=OuterRef("conversation__persona__company"))
    return one(
        SharedLink.objects.select_related("conversation__persona__company", "conversation__owner").filter(
            Exists(Conversation.objects.filter(present(), pk=OuterRef("conversation"))),
            Exists(there.filter(user=person.pk)),
            Exists(there.filter(user=OuterRef("conversation__owner"))),
            token_hash=token_hash,
            expires_at__gt=timezone.now(),
            conversation__owner__is_active=True,
        )
    )
