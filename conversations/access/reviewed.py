"""What the reviewers of a company may read. Each look is first a record: see `reading.py`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from conversations.access.administration import is_operator, managed_companies
from conversations.access.nobody import AnyPerson, one
from conversations.models import AnswerRecord, Company, Conversation, Export, Membership, QueueEntry, Review
from conversations.models.keeping import held

if TYPE_CHECKING:
    from conversations.models.conversation import ConversationQuerySet


def reviewed_companies(person: AnyPerson) -> QuerySet[Company]:
    """The companies whose conversations `person` may read and review: reviewers, managers, and operators all."""
    if is_operator(person):
        return Company.objects.all()
    if not person.is_active:
        return Company.objects.none()
    roles = (Membership.Role.REVIEWER, Membership.Role.MANAGER)
    return Company.objects.filter(memberships__user_id=person.pk, memberships__role__in=roles)


def reviewed_company(person: AnyPerson, company_id: uuid.UUID) -> Company:
    """One of `reviewed_companies`. Raises NotVisible."""
    return one(reviewed_companies(person).filter(pk=company_id))


def reviewed_conversations(company: Company) -> ConversationQuerySet:
    """The conversations of a company that was let through by `reviewed_company`. Trials are nobody's to review; what
    its owner deleted, and what is temporary, is there for as long as it is held, by a review or on purpose."""
    found = Conversation.objects.there().filter(persona__company=company, trial__isnull=True)
    return found.filter(Q(deleted_at=None, temporary_until=None) | held())


def reviewed_conversation(company: Company, conversation_id: uuid.UUID) -> Conversation:
    """One of `reviewed_conversations`, with its persona and owner. Raises NotVisible.

    This says that it is there. Only `reading.py` hands it out to be read.
    """
    return one(
        reviewed_conversations(company)
        .select_related("persona__company", "persona__current__endpoint", "owner")
        .filter(pk=conversation_id)
    )


def exports(person: AnyPerson, company: Company) -> QuerySet[Export]:
    """The exports of a company that `person` may take away: those that hold system prompts are its managers'."""
    found = Export.objects.filter(company__in=reviewed_companies(person).filter(pk=company.pk))
    if managed_companies(person).filter(pk=company.pk).exists():
        return found
    return found.exclude(kind__in=Export.TUNING)


def export(person: AnyPerson, company: Company, export_id: uuid.UUID) -> Export:
    """One of `exports`. Raises NotVisible."""
    return one(exports(person, company).select_related("company").filter(pk=export_id))


def queue(company: Company) -> QuerySet[QueueEntry]:
    """What waits, is under review or was reviewed at a company that was let through by `reviewed_company`."""
    return QueueEntry.objects.filter(company=company)


def review(reviewer: AnyPerson, conversation: Conversation, review_id: int) -> Review:
    """A review of one's own of a conversation that was let through by `reviewed_conversation`. Raises NotVisible."""
    return one(
        Review.objects.select_related("entry__company", "reviewer").filter(
            entry__conversation=conversation, reviewer_id=reviewer.pk, pk=review_id
        )
    )


def reviewed_answer(conversation: Conversation, message_id: uuid.UUID) -> AnswerRecord:
    """An ended answer of a conversation that was let through by `reviewed_conversation`. Raises NotVisible."""
    return one(
        AnswerRecord.objects.select_related("version", "message").filter(
            conversation=conversation, message_id=message_id
        )
    )
