"""Who works on an entry: one person at a time, until nothing was heard of them for a while.

A claim changes hands only by an UPDATE that says whom it is taken from and in which status, so that of two who claim at
once one wins.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations import access, rubrics, rules
from conversations.models import (
    AnswerRecord,
    Company,
    EntryReason,
    Membership,
    QueueEntry,
    Review,
    Rubric,
    Rule,
)
from conversations.posting import Refused

Status, Seat = QueueEntry.Status, Review.Seat

SILENCE = timedelta(minutes=15)
SEATS = {Status.OPEN: Seat.FIRST, Status.SECOND: Seat.SECOND, Status.RULING: Seat.RULING}
WAITING = {seat: status for status, seat in SEATS.items()}


def open_by_hand(company: Company, record: AnswerRecord) -> QueueEntry:
    """An entry for the conversation of `record` because a reviewer wants one, or the one that waits already."""
    if record.conversation_id is None:
        raise Refused(_("This conversation was deleted."), status=409)
    entries = QueueEntry.objects.filter(company=company, conversation_id=record.conversation_id)
    waiting = entries.exclude(status=Status.DONE)
    if found := waiting.first():
        return found
    try:
        with transaction.atomic():
            entry = QueueEntry.objects.create(company=company, conversation_id=record.conversation_id)
            EntryReason.objects.create(entry=entry, record=record, kind=Rule.Kind.HAND, said=rules.BY_HAND)
    except IntegrityError as error:  # somebody else, or a rule, was quicker; or it was removed at this moment
        if found := waiting.first():
            return found
        raise Refused(_("This conversation was deleted."), status=409) from error
    return entry


def claim(entry: QueueEntry, reviewer: User) -> Review:
    """Take `entry` for what it waits for; once more is harmless. Raises Refused, which names who has it."""
    status = Status(entry.status)
    if status not in SEATS:
        raise Refused(_("This was reviewed already."), status=409)
    if sentence := barred(entry, reviewer):
        raise Refused(sentence, status=409)
    with transaction.atomic():
        if take(entry, reviewer, status):
            begun = {"rubric": _rubric_of(entry)}
            return Review.objects.get_or_create(
                entry=entry, seat=SEATS[status], reviewer=reviewer, defaults=begun
            )[0]
    raise Refused(whereabouts(entry), status=409)


def take(entry: QueueEntry, reviewer: User, status: QueueEntry.Status) -> bool:
    """Make the entry the reviewer's from now on, where it still waits for that and nobody else works on it."""
    now = timezone.now()
    free = Q(claimed_by=None) | Q(claimed_by=reviewer) | Q(claim_seen_at__lt=now - SILENCE)
    waiting = QueueEntry.objects.filter(free, pk=entry.pk, status=status)
    return bool(waiting.update(claimed_by=reviewer, claim_seen_at=now))


def rubric(review: Review) -> Rubric:
    """The grades that `review` gives: those it began with, in two queries."""
    found = Rubric.objects.prefetch_related("grades").filter(pk=review.rubric_id or 0).first()
    return found or _rubric_of(review.entry)


def _rubric_of(entry: QueueEntry) -> Rubric:
    """By what a review of the entry that begins now grades: as the first one did, so that the two can be compared."""
    first = Review.objects.filter(
        entry=entry, seat=Seat.FIRST, submitted_at__isnull=False, rubric__isnull=False
    )
    found = Rubric.objects.prefetch_related("grades").filter(pk__in=first.values("rubric")).first()
    return found or rubrics.in_use(entry.company)


def keep(review: Review) -> bool:
    """The claim of `review`, renewed; also one that lapsed meanwhile, as long as nobody else took it."""
    return review.reviewer is not None and take(review.entry, review.reviewer, WAITING[Seat(review.seat)])


def renew(review: Review) -> None:
    """Say that the reviewer is at work. Raises Refused where the claim is theirs no more."""
    mine = QueueEntry.objects.filter(
        pk=review.entry_id, claimed_by=review.reviewer, status=WAITING[Seat(review.seat)]
    )
    if not mine.update(claim_seen_at=timezone.now()):
        raise Refused(whereabouts(review.entry), status=409)


def release(review: Review) -> None:
    """Leave the entry to others. What was judged stays the reviewer's, for when they come back."""
    mine = QueueEntry.objects.filter(pk=review.entry_id, claimed_by=review.reviewer)
    mine.exclude(status=Status.DONE).update(claimed_by=None, claim_seen_at=None)


def holder(entry: QueueEntry) -> User | None:
    """Who works on it at the moment."""
    until_when = until(entry)
    return entry.claimed_by if until_when and until_when > timezone.now() else None


def until(entry: QueueEntry) -> datetime | None:
    """When its claim lapses if nothing more is heard."""
    return entry.claim_seen_at + SILENCE if entry.claimed_by_id and entry.claim_seen_at else None


def barred(entry: QueueEntry, reviewer: User) -> str:
    """Why `reviewer` may not take the entry, whoever has it; empty where they may."""
    if entry.conversation.owner_id == reviewer.pk:
        return _("This is your own conversation. It is somebody else’s to review.")
    if entry.status not in {Status.SECOND, Status.RULING}:
        return ""
    given: set[int | None] = set(
        entry.reviews.filter(submitted_at__isnull=False).values_list("reviewer_id", flat=True)
    )
    if reviewer.pk not in given:
        return ""
    if entry.status == Status.SECOND:
        # Where they are all gone, it must not wait for ever.
        others = anyone_else(entry.company_id, given)
        return _("You gave the first review. The second is somebody else’s.") if others else ""
    manages = access.managed_companies(reviewer).filter(pk=entry.company_id).exists()
    if manages or not anyone_else(entry.company_id, given):
        return ""
    return _("You gave one of the two reviews. The ruling is somebody else’s, or a manager’s.")


def second_for(reviewer: User, company: Company) -> QuerySet[QueueEntry]:
    """What waits for a second review that `reviewer` may give: `barred`, asked of all entries at once."""
    waiting = access.queue(company).filter(status=Status.SECOND).exclude(conversation__owner=reviewer)
    if not anyone_else(company.pk, {reviewer.pk}):
        return waiting
    own = Review.objects.filter(entry=OuterRef("pk"), reviewer=reviewer, submitted_at__isnull=False)
    return waiting.filter(~Exists(own))


def anyone_else(company_id: uuid.UUID, people: set[int | None]) -> bool:
    """Whether somebody beside `people` reviews for the company."""
    roles = (Membership.Role.REVIEWER, Membership.Role.MANAGER)
    places = Membership.objects.filter(company=company_id, role__in=roles, user__is_active=True)
    return places.exclude(user__in=[pk for pk in people if pk is not None]).exists()


def unseen(reader: User, conversations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of `conversations` that wait for a second review which `reader` might give: they see no verdict of them."""
    waiting = to_judge_unseen(reader).filter(conversation__in=conversations)
    return set(waiting.values_list("conversation_id", flat=True))


def to_judge_unseen(reader: User) -> QuerySet[QueueEntry]:
    """The entries that wait for a second review which `reader` might give, for a part of another query."""
    # With its seat it is one row of one index: else SQLite would look through all that the reader has ever reviewed.
    own = Review.objects.filter(entry=OuterRef("pk"), seat=Seat.FIRST, reviewer=reader)
    return QueueEntry.objects.filter(~Exists(own.filter(submitted_at__isnull=False)), status=Status.SECOND)


def whereabouts(entry: QueueEntry) -> str:
    """Where the entry is now, for somebody who does not have it."""
    now = QueueEntry.objects.select_related("claimed_by").filter(pk=entry.pk).first()
    if now is None:
        return _("This conversation was deleted.")
    who, when = holder(now), until(now)
    if who is not None and when is not None:
        said = _("%(who)s has claimed this until %(until)s, or longer if they work on.")
        return said % {"who": name_of(who), "until": f"{timezone.localtime(when):%H:%M}"}
    if now.status == Status.DONE:
        return _("This was reviewed meanwhile.")
    return {
        Status.OPEN: _("This has moved on: waiting for a review."),
        Status.SECOND: _("This has moved on: waiting for a second review."),
        Status.RULING: _("This has moved on: waiting for a ruling."),
    }[Status(now.status)]


def name_of(colleague: User | None) -> str:
    """What colleagues are called."""
    return (
        _("Deleted account") if colleague is None else colleague.get_full_name() or colleague.get_username()
    )
