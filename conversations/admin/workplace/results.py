"""What became of entries that are done, in a few words each. Nobody's texts are read for it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from conversations import reviewing
from conversations.models import Grade, Judgement, QueueEntry, Review

_FIRST_COUNTS = (Review.Seat.RULING, Review.Seat.FIRST, Review.Seat.SECOND)


@dataclass(frozen=True, slots=True)
class Result:
    """The verdicts that an entry ended with, and who reviewed it."""

    verdicts: str
    reviewers: str


def results(reader: User, entries: Sequence[QueueEntry]) -> dict[uuid.UUID, Result]:
    """By entry, in three queries; of what `reader` may still have to judge unseen there is none."""
    unseen = reviewing.unseen(reader, [entry.conversation_id for entry in entries])
    shown = [entry.pk for entry in entries if entry.conversation_id not in unseen]
    people: dict[uuid.UUID, dict[str, None]] = {pk: {} for pk in shown}
    reviews = Review.objects.filter(entry__in=shown, submitted_at__isnull=False)
    for review in reviews.select_related("reviewer").order_by("submitted_at"):
        people[review.entry_id][reviewing.name_of(review.reviewer)] = None
    grades = _grades(shown)
    return {pk: Result(_in_words(grades.get(pk, {})), ", ".join(names)) for pk, names in people.items()}


def _grades(entries: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[int, Grade]]:
    """By entry and answer the grade that the entry ended with."""
    judgements = Judgement.objects.filter(
        review__entry__in=entries, review__submitted_at__isnull=False, grade__isnull=False
    )
    found: dict[uuid.UUID, dict[int, Grade]] = {}
    given = list(judgements.select_related("review", "grade").defer("correction", "reply"))
    for each in sorted(given, key=lambda each: _FIRST_COUNTS.index(Review.Seat(each.review.seat))):
        if each.grade is not None:
            found.setdefault(each.review.entry_id, {}).setdefault(each.record_id, each.grade)
    return found


def _in_words(grades: dict[int, Grade]) -> str:
    counted = Counter(grades.values())
    ordered = sorted(counted, key=lambda grade: (grade.position, grade.pk))
    return ", ".join(f"{counted[grade]} {grade.name}" for grade in ordered) or _("Nothing to judge")
