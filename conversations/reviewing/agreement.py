"""How far two reviewers who did not see each other's verdicts agree. Only answers that both graded are compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.utils import timezone

from conversations.models import Company, Judgement, Review

DAYS = 30


@dataclass(frozen=True, slots=True)
class Agreement:
    """`same` of the `both` answers that two reviewers graded have the same grade."""

    same: int
    both: int

    @property
    def percent(self) -> int:
        """The share, rounded down: only what agrees in everything is 100."""
        return self.same * 100 // self.both if self.both else 0


def between(first: Iterable[Judgement], second: Iterable[Judgement]) -> Agreement:
    """The agreement of two reviews."""
    grades = {each.record_id: each.grade_id for each in first if each.grade_id is not None}
    pairs = [
        (grades[each.record_id], each.grade_id)
        for each in second
        if each.grade_id is not None and each.record_id in grades
    ]
    return Agreement(sum(one == other for one, other in pairs), len(pairs))


def of_company(company: Company) -> Agreement:
    """The agreement of all second reviews of the last `DAYS` days. One query."""
    first = Judgement.objects.filter(
        review__entry=OuterRef("review__entry"),
        review__seat=Review.Seat.FIRST,
        review__submitted_at__isnull=False,
        record=OuterRef("record"),
    )
    second = Judgement.objects.filter(
        review__seat=Review.Seat.SECOND,
        review__submitted_at__gte=timezone.now() - timedelta(days=DAYS),
        review__entry__company=company,
        grade__isnull=False,
    )
    found = second.annotate(other=Subquery(first.values("grade")[:1])).aggregate(
        same=Count("pk", filter=Q(grade=F("other"))), both=Count("pk", filter=Q(other__isnull=False))
    )
    return Agreement(found["same"], found["both"])
