"""What lies before a reviewer: the entry of a conversation, who has it, and how much of colleagues' work may be seen.

While a second review may still come, nobody sees another's work on the entry: verdicts, corrections, labels, notes. And
while one is awaited, who may give it sees nothing of what was said in earlier entries either.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from conversations import access, reviewing
from conversations.models import (
    Company,
    Conversation,
    EntryReason,
    Judgement,
    Note,
    QueueEntry,
    Review,
)
from conversations.reviewing.agreement import Agreement, between

Status, Seat = QueueEntry.Status, Review.Seat

PAST = 5  # earlier entries of a conversation that its page names


@dataclass(frozen=True, slots=True)
class Desk:
    """The newest entry of a conversation as one reviewer sees it. `mine` is their review in hand, under their claim.

    What was said of the answers before is `unseen` to who might still give the second review.
    """

    entry: QueueEntry | None = None
    mine: Review | None = None
    holder: User | None = None
    until: datetime | None = None
    barred: str = ""
    said: list[Review] = field(default_factory=list)
    agreement: Agreement | None = None
    past: list[Past] = field(default_factory=list)
    alone: bool = False
    unseen: bool = False

    @property
    def waiting(self) -> bool:
        """Whether there is something to claim."""
        return self.entry is not None and self.entry.status != Status.DONE

    @property
    def lapsed(self) -> bool:
        """Whether nothing was heard of the reviewer for too long, while nobody took the entry."""
        return self.mine is not None and self.holder is None

    @property
    def second(self) -> bool:
        """Whether the review in hand is the one that does not see the first."""
        return self.mine is not None and self.mine.seat == Seat.SECOND

    @property
    def ruling(self) -> bool:
        """Whether the review in hand decides between two."""
        return self.mine is not None and self.mine.seat == Seat.RULING


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier entry that is done."""

    closed_at: datetime | None
    reviewers: str
    agreement: Agreement | None


def desk(reader: User, conversation: Conversation) -> Desk:
    """The newest entry of `conversation`, as `reader` sees it."""
    judgements = Judgement.objects.select_related("grade", "fixed_in", "record").prefetch_related("labels")
    entries = list(
        QueueEntry.objects.filter(conversation=conversation)
        .select_related("company", "claimed_by")
        .prefetch_related(
            Prefetch("reasons", EntryReason.objects.select_related("record").order_by("pk")),
            Prefetch("reviews", Review.objects.select_related("reviewer").order_by("pk")),
            Prefetch("reviews__judgements", judgements),
        )
        .order_by("-opened_at", "-pk")[: PAST + 1]
    )
    if not entries:
        return Desk()
    entry, *earlier = entries
    seat = reviewing.SEATS.get(Status(entry.status))
    own = [r for r in entry.reviews.all() if r.seat == seat and r.reviewer_id == reader.pk]
    barred = reviewing.barred(entry, reader) if seat else ""
    unseen = bool(reviewing.unseen(reader, [conversation.pk]))
    return Desk(
        entry=entry,
        mine=own[0] if own and entry.claimed_by_id == reader.pk else None,
        holder=reviewing.holder(entry),
        until=reviewing.until(entry),
        barred=barred,
        said=[each for each in submitted(entry) if _is_open(entry) or each.reviewer_id == reader.pk],
        agreement=agreement(entry) if _is_open(entry) else None,
        past=[_past(each) for each in earlier if each.status == Status.DONE and not unseen],
        alone=entry.status == Status.RULING
        and not barred
        and any(each.reviewer_id == reader.pk for each in submitted(entry)),
        unseen=unseen,
    )


def submitted(entry: QueueEntry) -> list[Review]:
    """The reviews that were handed in, in their order."""
    order = list(Seat)
    given = [each for each in entry.reviews.all() if each.submitted_at is not None]
    return sorted(given, key=lambda each: order.index(Seat(each.seat)))


def agreement(entry: QueueEntry) -> Agreement | None:
    """How far the two reviews of an entry agree; None where there are no two."""
    by_seat = {each.seat: each for each in submitted(entry)}
    first, second = by_seat.get(Seat.FIRST), by_seat.get(Seat.SECOND)
    if first is None or second is None:
        return None
    return between(first.judgements.all(), second.judgements.all())


def differing(desk: Desk) -> list[uuid.UUID]:
    """The answers that two reviews grade differently, or that only one of them grades."""
    if desk.entry is None or desk.entry.status != Status.RULING:
        return []
    grades: dict[uuid.UUID | None, list[int | None]] = {}
    for review in desk.said:
        for each in review.judgements.all():
            grades.setdefault(each.record.message_id, []).append(each.grade_id)
    return [pk for pk, given in grades.items() if pk and (len(given) < 2 or len(set(given)) > 1)]


def notes(reader: User, conversation: Conversation, desk: Desk) -> list[Note]:
    """What colleagues say, but for what would tell how another judges an entry that is still to be judged unseen."""
    entry = desk.entry
    found = list(Note.objects.filter(conversation=conversation).select_related("author"))
    if entry is None or _is_open(entry):
        return found
    if desk.unseen:
        reviews = Review.objects.filter(entry__conversation=conversation).exclude(reviewer=reader)
        theirs = set(reviews.values_list("reviewer_id", flat=True))
        return [each for each in found if each.author_id not in theirs]
    at_work = {each.reviewer_id for each in submitted(entry)}
    if (holder := reviewing.holder(entry)) is not None:
        at_work.add(holder.pk)
    at_work.discard(reader.pk)
    return [each for each in found if each.author_id not in at_work or each.created_at < entry.opened_at]


def following(company: Company, reader: User, status: str, after: QueueEntry | None) -> QueueEntry | None:
    """The next entry that `reader` could claim, oldest first; after the last one the first."""
    own = Review.objects.filter(entry=OuterRef("pk"), reviewer=reader, submitted_at__isnull=False)
    stale = timezone.now() - reviewing.SILENCE
    free = Q(claimed_by=None) | Q(claimed_by=reader) | Q(claim_seen_at__lt=stale)
    waiting = in_order(company, status).filter(free, ~Exists(own))
    if after is None:
        return waiting.first()
    rest = waiting.exclude(pk=after.pk)
    return rest.filter(_later(after)).first() or rest.first()


def previous(company: Company, entry: QueueEntry) -> QueueEntry | None:
    """The entry before it, of those that wait for the same."""
    before = Q(opened_at__lt=entry.opened_at) | Q(opened_at=entry.opened_at, pk__lt=entry.pk)
    return in_order(company, entry.status).filter(before).last()


def in_order(company: Company, status: str) -> QuerySet[QueueEntry]:
    """The entries of a company that wait for the same, oldest first."""
    return access.queue(company).filter(status=status).order_by("opened_at", "pk")


def _later(entry: QueueEntry) -> Q:
    return Q(opened_at__gt=entry.opened_at) | Q(opened_at=entry.opened_at, pk__gt=entry.pk)


def _is_open(entry: QueueEntry) -> bool:
    """Whether everybody may see all that was said of the entry: both reviews are in, or no second one comes."""
    return entry.status in {Status.RULING, Status.DONE}


def _past(entry: QueueEntry) -> Past:
    names = dict.fromkeys(reviewing.name_of(each.reviewer) for each in submitted(entry))
    return Past(entry.closed_at, ", ".join(names), agreement(entry))
