"""The end of a review: what it leads to, and what of it counts.

Nothing counts, and nothing reaches the person who asked, before the entry is done. Then the judgements that count, the
ledger, the labels and the person's feedback change in one transaction with the end.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Feedback,
    Flag,
    Judgement,
    Label,
    QueueEntry,
    Review,
)
from conversations.posting import Refused
from conversations.reviewing import agreement, claims, work

Status, Seat = QueueEntry.Status, Review.Seat
ByRecord = dict[int, Judgement]
Told = TypeVar("Told", Feedback, Flag)

_SOMETHING = gettext_noop(
    "You have given a verdict, a label, a correction or a reply here, so there was something to judge. The review is "
    "not finished, and all of it is kept: finish with a verdict, or take back what you gave and press again."
)


def submit(review: Review, *, nothing: bool = False, as_of: datetime | None = None) -> QueueEntry:
    """End `review`; `nothing` where there was nothing to judge. Once more is harmless. Raises Refused, and Late.

    The reviewer knows what there was `as_of`, when their page was made; what came later waits for another review. They
    know what there was when they began, and nothing of what is to come, whatever they say.
    """
    as_of = max(review.started_at, min(as_of or timezone.now(), timezone.now()))
    with transaction.atomic():
        if claims.keep(review):
            now = timezone.now()  # of all that changes with the end: an export knows by it what counted when
            if nothing:
                if work.given(review):
                    raise Refused(_(_SOMETHING), status=409)
                review.judgements.all().delete()  # opened, and all taken back
            elif not review.judgements.filter(grade__isnull=False).exists():
                raise Refused(
                    _("Give an answer a grade first, or say that there is nothing to judge."), status=409
                )
            Review.objects.filter(pk=review.pk).update(submitted_at=now)
            entry = _moved(review.entry, _following(review, as_of, now), now)
            if entry.status == Status.DONE:
                _make_known(entry)
                _carry_over(entry, as_of)
            return entry
    if Review.objects.filter(pk=review.pk, submitted_at__isnull=False).exists():  # pressed twice
        return QueueEntry.objects.get(pk=review.entry_id)
    raise work.late(review, None, _in_words(review, nothing=nothing))


def is_drawn(entry: QueueEntry) -> bool:
    """Whether the entry is reviewed twice: the same at all times, so that no second try draws another lot."""
    lot = int.from_bytes(hashlib.sha256(entry.pk.bytes).digest()[:4], "big") % 100
    return lot < entry.company.second_reviews


def _make_known(entry: QueueEntry) -> None:
    """What labels were made up for the entry, or given in it, is no secret any more."""
    given = Judgement.objects.filter(review__entry=entry, review__submitted_at__isnull=False)
    labels = Label.objects.filter(Q(invented_in__entry=entry) | Q(pk__in=given.values("labels")))
    Label.objects.filter(pk__in=labels.values("pk"), invented_in__isnull=False).update(invented_in=None)


def _carry_over(entry: QueueEntry, as_of: datetime) -> None:
    """Open another entry for what was found since `as_of`."""
    later = entry.reasons.filter(created_at__gt=as_of)
    if later.exists():
        later.update(entry=QueueEntry.objects.create(company=entry.company, conversation=entry.conversation))


def _following(review: Review, as_of: datetime, now: datetime) -> QueueEntry.Status:
    """What the entry waits for once `review` is in; where that is nothing more, what it says takes effect."""
    entry = review.entry
    first, second = _judgements(entry, Seat.FIRST), _judgements(entry, Seat.SECOND)
    if review.seat == Seat.FIRST:
        if is_drawn(entry) and claims.anyone_else(entry.company_id, {review.reviewer_id}):
            return Status.SECOND
        _settle(entry, first, as_of=as_of, now=now)
    elif review.seat == Seat.SECOND:
        if not _agree(first, second):
            return Status.RULING
        _settle(entry, first, second, as_of=as_of, now=now)
    else:
        _settle(entry, first, second, _judgements(entry, Seat.RULING), as_of=as_of, now=now)
    return Status.DONE


def _moved(entry: QueueEntry, status: QueueEntry.Status, now: datetime) -> QueueEntry:
    entry.status, entry.claimed_by, entry.claim_seen_at = status, None, None
    entry.closed_at = now if status == Status.DONE else None
    entry.save(update_fields=["status", "claimed_by", "claim_seen_at", "closed_at"])
    return entry


def _judgements(entry: QueueEntry, seat: Review.Seat) -> ByRecord:
    found = Judgement.objects.filter(
        review__entry=entry, review__seat=seat, review__submitted_at__isnull=False
    ).prefetch_related("labels")
    return {each.record_id: each for each in found.select_related("review__reviewer", "record")}


def _agree(first: ByRecord, second: ByRecord) -> bool:
    """The same grade for all that both graded; and not one of them grades while the other sees nothing to grade."""
    compared = agreement.between(first.values(), second.values())
    graded = any(each.grade_id for each in (*first.values(), *second.values()))
    return compared.same == compared.both and (compared.both > 0 or not graded)


def _says_something(judgement: Judgement) -> bool:
    return judgement.grade_id is not None or bool(judgement.correction)


def _settle(
    entry: QueueEntry,
    first: ByRecord,
    second: ByRecord | None = None,
    ruled: ByRecord | None = None,
    *,
    as_of: datetime,
    now: datetime,
) -> None:
    """Let the first review count, what only the second says, and above both a ruling. Labels are those of both, or
    of the ruling."""
    second, ruled = second or {}, ruled or {}
    for pk, each in ruled.items():
        if each.grade_id is None and each.correction and pk in first:  # a ruling on the words alone
            each.grade_id = first[pk].grade_id
    counting = _together(first, second) | {pk: each for pk, each in ruled.items() if _says_something(each)}
    _count([each for each in counting.values() if _says_something(each)], now)
    both = {pk: [said[pk] for said in (first, second) if pk in said] for pk in first.keys() | second.keys()}
    _put_labels(both | {pk: [each] for pk, each in ruled.items()})
    _tell_the_person(entry, first | {pk: each for pk, each in ruled.items() if _replies(each)}, as_of)


def _together(first: ByRecord, second: ByRecord) -> ByRecord:
    """Of each answer the first review's word; the second's where the first has none, or has no correction to it."""

    def gap(pk: int, other: Judgement) -> bool:
        mine = first.get(pk)
        if mine is None or not _says_something(mine):
            return True
        return mine.grade_id == other.grade_id and bool(other.correction) and not mine.correction

    return first | {pk: each for pk, each in second.items() if _says_something(each) and gap(pk, each)}


def _count(judgements: list[Judgement], now: datetime) -> None:
    records = [each.record_id for each in judgements]
    before = Judgement.objects.filter(record__in=records, counts=True)
    earlier = dict(before.values_list("record_id", "grade_id"))
    before.update(counts=False, overtaken_at=now)
    for each in judgements:
        each.counts = True
        if each.grade_id is None:  # it corrects, and leaves the verdict of an earlier review as it is
            each.grade_id = earlier.get(each.record_id)
    Judgement.objects.bulk_update(judgements, ["counts", "grade"])
    verdict = Judgement.objects.filter(record=OuterRef("pk"), counts=True).values("grade")[:1]
    AnswerRecord.objects.filter(pk__in=records).update(verdict=Subquery(verdict))


def _put_labels(said: dict[int, list[Judgement]]) -> None:
    wanted = {
        (pk, label.pk): each.review.reviewer
        for pk, judgements in said.items()
        for each in reversed(judgements)
        for label in each.labels.all()
    }
    given = {(each.record_id, each.label_id): each.pk for each in AnswerLabel.objects.filter(record__in=said)}
    # Who gave a second review alone has not seen what an answer was labelled with, so they took nothing from it.
    known = {pk for pk, each in said.items() if any(one.review.seat != Seat.SECOND for one in each)}
    gone = [pk for key, pk in given.items() if key not in wanted and key[0] in known]
    AnswerLabel.objects.filter(pk__in=gone).delete()
    AnswerLabel.objects.bulk_create(
        AnswerLabel(record_id=record, label_id=label, by=by)
        for (record, label), by in wanted.items()
        if (record, label) not in given
    )


def _replies(judgement: Judgement) -> bool:
    return bool(judgement.reply) or judgement.fixed_in_id is not None


def _tell_the_person(entry: QueueEntry, said: ByRecord, as_of: datetime) -> None:
    """They are seen, as they stood `as_of`; and answered where a reviewer wrote to them."""
    answered = {each.record.message_id: each for each in said.values() if _replies(each)}
    of_it = {"message__conversation": entry.conversation_id}
    _tell(Feedback.objects.filter(**of_it), answered, as_of)
    _tell(Flag.objects.filter(**of_it), answered, as_of)


def _tell(said: QuerySet[Told], answered: dict[uuid.UUID | None, Judgement], as_of: datetime) -> None:
    said.filter(created_at__lte=as_of).update(seen_at=as_of)
    found = list(said.filter(message__in=[pk for pk in answered if pk is not None]))
    for each in found:
        judgement = answered[each.message_id]
        each.reply, each.fixed_in_id = judgement.reply, judgement.fixed_in_id
    said.bulk_update(found, ["reply", "fixed_in"])


def _in_words(review: Review, *, nothing: bool) -> str:
    """A whole review that came too late, to be read."""
    parts = []
    for each in review.judgements.select_related("record", "grade", "fixed_in").prefetch_related("labels"):
        said = [
            _("grade %(grade)s") % {"grade": each.grade} if each.grade else "",
            ", ".join(_("label “%(label)s”") % {"label": label} for label in each.labels.all()),
            _("fixed in %(version)s") % {"version": each.fixed_in} if each.fixed_in else "",
            _("corrected answer:\n%(text)s") % {"text": each.correction} if each.correction else "",
            _("reply to the person:\n%(text)s") % {"text": each.reply} if each.reply else "",
        ]
        parts.append(work.on_answer(each.record, "; ".join(filter(None, said))))
    if nothing or not parts:
        parts.append(_("Nothing to judge."))
    return "\n\n".join(parts)
